#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# config.json of a bundle: what umoci makes of the same images, and what Docker's filter has.

load helpers
load bundle

# One image a line: its "config". umoci is asked about each.
configs='
{}
{"Cmd": ["c"]}
{"Entrypoint": ["/e"]}
{"Entrypoint": ["/e", "-x"], "Cmd": ["c", "d e", ""]}
{"Entrypoint": null, "Cmd": null}
{"Entrypoint": [], "Cmd": ["c"]}
{"Env": ["A=1", "B=2=3", "C="]}
{"Env": ["PATH=/only"]}
{"Env": ["Z=1", "PATHS=x"]}
{"WorkingDir": "/w"}
{"WorkingDir": "/a b/ü"}
{"WorkingDir": ""}
{"User": ""}
{"User": "root"}
{"User": "web"}
{"User": "33"}
{"User": "0"}
{"User": "4711"}
{"User": "web:www"}
{"User": "web:80"}
{"User": "33:www"}
{"User": "33:4712"}
{"User": "4711:4712"}
{"User": "0:0"}
{"User": "web", "Env": ["A=1"]}
{"StopSignal": "SIGQUIT"}
{"StopSignal": "9"}
{"ExposedPorts": {"80/tcp": {}, "53/udp": {}, "8080": {}}}
{"Volumes": {"/data": {}, "/var/lib/x": {}}}
{"Labels": {"a": "1", "b": "", "maintainer": "ü \"q\""}}
{"Labels": {"org.opencontainers.image.author": "label", "org.opencontainers.image.os": "other"}}
{"Labels": {"org.opencontainers.image.exposedPorts": "1"}, "ExposedPorts": {"80/tcp": {}}}
{"Labels": {"org.berth.overlay.lower": "/", "run.oci.handler": "x", "ok": "1"}}
{"OnBuild": ["RUN x"], "Healthcheck": {"Test": ["CMD", "x"]}, "Shell": ["/bin/x"]}
'

# Users and groups for them.
etc_layer='{"entries": ["etc/",
	{"path": "etc/passwd", "data": "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:\n"},
	{"path": "etc/group", "data": "root:x:0:root\nwww:x:80:web\n"}]}'

@test "further groups that the container has no id for are left out" {
	((EUID == 0)) || skip "--userns needs root"
	images layout <<-'E'
		{"ref": "x", "config": {"Cmd": ["x"]}, "layers": [{"entries": ["etc/",
			{"path": "etc/passwd", "data": "root:x:0:0::/root:/bin/sh\n"},
			{"path": "etc/group", "data": "wheel:x:10:root\nfar:x:2000:root\n"}]}]}
	E
	pull -q --from oci:layout:x all
	is "$(jq -c .process.user.additionalGids all/config.json)" '[10,2000]'
	pull -q --from oci:layout:x --userns 300000:1000 few
	is "$(jq -c .process.user.additionalGids few/config.json)" '[10]'
}

# Known differences, each with its reason, taken out of both sides:
# - umoci sets TERM always, and its defaults stand first; berth-pull does it where there is a
#   terminal. The order of names has no meaning.
# - a user whom /etc/passwd does not know gets "/" as HOME, as with Docker; umoci gives none.
# - umoci writes annotations that say nothing; image-spec asks for none of them.
# - where a label and a field of the image say something else, the label counts (image-spec
#   conversion.md); umoci 0.4 takes the field. Both say it, so the key is taken out.
# - labels with power over a runtime become no annotations.
# - the annotations of berth's own overlay.
# - a volume is a file system in memory for umoci, a directory of the bundle here: only its place is
#   compared.
# shellcheck disable=SC2016 # jq's variables
canonical='{
	args: .process.args, cwd: .process.cwd,
	env: (.process.env | map(select(. != "TERM=xterm" and . != "HOME=/")) | sort),
	user: .process.user,
	annotations: (.annotations | with_entries(select(.key as $key | .key |
		startswith("org.opencontainers.image.") and ($config.Labels // {} | has($key)) | not)) |
		with_entries(.key as $key | select(.value != "" or
		($config.Labels // {} | has($key)))) |
		with_entries(select(.key | test("^(org\\.berth|run\\.oci)\\.") | not))),
	volumes: [.mounts[].destination | select(in($config.Volumes // {}))] | sort
}'

@test "config.json says what umoci's says, for 34 images" {
	local i=0 config ours theirs

	while IFS= read -r config; do
		[[ -n $config ]] || continue
		jq -n --arg ref "r$i" --argjson config "$config" --argjson layer "$etc_layer" \
			'{ref: $ref, config: $config, layers: [$layer],
			image: {author: "me", created: "2026-01-02T03:04:05Z"}}' >"$T/image.$i"
		i=$((i + 1))
	done <<<"$configs"
	is "$i" 34
	jq -s . "$T"/image.* | images layout
	i=0
	while IFS= read -r config; do
		[[ -n $config ]] || continue
		umoci unpack --image "layout:r$i" "u$i" 2>/dev/null >&2
		pull -q --from "oci:layout:r$i" "b$i"
		ours=$(jq -S --argjson config "$config" "$canonical" "b$i/config.json")
		theirs=$(jq -S --argjson config "$config" "$canonical" "u$i/config.json")
		[[ $ours == "$theirs" ]] ||
			fail "$config: $(diff <(echo "$theirs") <(echo "$ours"))" || return 1
		i=$((i + 1))
	done <<<"$configs"
}

@test "where umoci finds no user, berth-pull finds none" {
	local user

	for user in nobody web:nobody 33:nobody nobody:33; do
		jq -n --arg user "$user" --argjson layer "$etc_layer" \
			'{ref: "x", config: {User: $user}, layers: [$layer]}' | images layout
		! umoci unpack --image layout:x umoci.out 2>/dev/null >&2 || fail "umoci: $user"
		rm -rf umoci.out
		pull_fails 'the image has no' --from oci:layout:x bundle
		[[ ! -e bundle ]]
		rm -rf layout
	done
}

# Which calls a filter of Docker's form lets through with these capabilities, a line each, with
# their conditions.
# shellcheck disable=SC2016 # jq's variables
docker_allows='
	[.syscalls[] | select(.action == "SCMP_ACT_ALLOW") |
		select((.includes.arches // []) | . == [] or index("amd64")) |
		select((.includes.caps // []) - $caps == []) |
		select((.excludes.caps // []) - $caps == (.excludes.caps // [])) |
		select((.excludes.arches // []) | index("amd64") | not) |
		{name: (.names // [.name])[], conditions: [(.args // [])[] |
			{index, op, value, valueTwo: (.valueTwo // 0)}]}]'

# The calls of one machine that berth-pull lets through, and that an older profile cannot know:
# successors of calls that are let through, which take no more than those.
newer='["cachestat", "fchmodat2", "futex_requeue", "futex_wait", "futex_wake", "map_shadow_stack",
	"mseal"]'

# Docker's own profile, from Debian's source package for Go programs.
docker_profile() {
	local cache=$PROJECT_DIR/build/tests/docker-profile

	if [[ ! -e $cache/default.json ]]; then
		mkdir -p "$cache/deb" "$cache/x"
		(cd "$cache/deb" && apt-get download golang-github-docker-docker-dev >/dev/null 2>&1) ||
			skip "golang-github-docker-docker-dev cannot be downloaded"
		dpkg -x "$cache"/deb/*.deb "$cache/x"
		cp "$(find "$cache/x" -path '*/profiles/seccomp/default.json')" "$cache/default.json"
	fi
	PROFILE=$cache/default.json
}

# What lets a call through without conditions lets it through under any; and a filter that looks at
# the family of sockets lets fewer through than one that does not.
compare_filters() {
	jq -n --argjson caps "$1" --argjson newer "$newer" --slurpfile profile "$PROFILE" \
		--slurpfile config "$2" "
		def allows: $docker_allows;"'
		($profile[0] | allows) as $theirs |
		[$config[0].linux.seccomp | .syscalls[] | select(.action == "SCMP_ACT_ALLOW") |
			{name: .names[], conditions: [(.args // [])[]]}] as $ours |
		[$ours[] | . as $call | select(.name as $n | $newer | index($n) | not) |
			[$theirs[] | select(.name == $call.name)] as $same |
			select(
				($same | length) == 0 or
				([$same[] | select(.conditions == [])] | length == 0) and
				($call.conditions == [] or ([$same[] | select(
					.conditions[0].index == $call.conditions[0].index and (
					.conditions[0].op == "SCMP_CMP_MASKED_EQ" and
					.conditions[0].value == $call.conditions[0].value and
					.conditions[0].valueTwo == $call.conditions[0].valueTwo or
					.conditions[0].op == "SCMP_CMP_EQ" and
					$call.conditions[0].value == 4294967295 and
					.conditions[0].value == $call.conditions[0].valueTwo))]
					| length == 0))
			) | .name] | unique | .[]' -r
}

@test "all system calls that are let through, Docker lets through, under the same conditions" {
	local caps add options more

	[[ $(uname -m) == x86_64 ]] || skip "the comparison is made for x86-64"
	docker_profile
	busybox_image
	for add in '' SYS_ADMIN SYS_PTRACE SYS_MODULE SYS_TIME SYS_BOOT SYSLOG SYS_RAWIO SYS_PACCT \
		SYS_TTY_CONFIG SYS_NICE DAC_READ_SEARCH SYS_RESOURCE ALL; do
		options=()
		[[ -z $add ]] || options=(--cap-add "$add")
		busybox_bundle "b$add" -q "${options[@]}"
		caps=$(jq -c '.process.capabilities.bounding' "b$add/config.json")
		more=$(compare_filters "$caps" "b$add/config.json")
		is "$more" '' "with --cap-add '$add', Docker does not let through"
	done
	# The comparison notices what it should.
	jq '.linux.seccomp.syscalls += [{names: ["mount"], action: "SCMP_ACT_ALLOW"},
		{names: ["clone"], action: "SCMP_ACT_ALLOW"}]' b/config.json >worse.json
	caps=$(jq -c '.process.capabilities.bounding' b/config.json)
	is "$(compare_filters "$caps" worse.json)" $'clone\nmount'
}

@test "a default bundle has eleven capabilities of Docker's fourteen, and its limits" {
	busybox_image
	busybox_bundle bundle
	jq -e '(.process.capabilities.bounding | length == 11 and . - ["CAP_AUDIT_WRITE", "CAP_CHOWN",
			"CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
			"CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP",
			"CAP_SETUID", "CAP_SYS_CHROOT"] == []) and
		.process.noNewPrivileges and
		(.process.capabilities | has("inheritable") or has("ambient") | not) and
		(["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
			"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
			"/sys/firmware", "/sys/devices/virtual/powercap"] - .linux.maskedPaths == []) and
		.linux.resources.devices == [{allow: false, access: "rwm"}] and
		([.linux.namespaces[].type] | sort) ==
			["cgroup", "ipc", "mount", "network", "pid", "uts"] and
		(.process.rlimits[0].soft <= 1024)' bundle/config.json
}

@test "processors' counts of heat are masked, and what podman masks" {
	busybox_image
	mkdir -p cpus/{cpu10,cpu2,cpufreq,cpu,cpu1x}/thermal_throttle cpus/cpu0
	unshare -m --propagation private bash -c 'mount --bind cpus /sys/devices/system/cpu && exec "$@"' _ \
		"$BERTH_PULL" --root "$STORE" -q --from oci:layout:busybox bundle
	is "$(jq -r '.linux.maskedPaths[] | select(test("thermal"))' bundle/config.json)" \
		$'/sys/devices/system/cpu/cpu2/thermal_throttle\n/sys/devices/system/cpu/cpu10/thermal_throttle'
	jq -e '["/sys/dev/block", "/sys/fs/selinux"] - .linux.maskedPaths == []' bundle/config.json
	run_bundle bundle
}

@test "variables of the image that are none are left out, and that is said" {
	busybox_image '{"Env": ["A", "=x", "", "B=", "C=1=2"]}'
	busybox_bundle bundle --env A=2
	contains "$stderr" 'variable "A" is left out'
	is "$(jq -c '.process.env[:3]' bundle/config.json)" '["B=","C=1=2","A=2"]'
	run_bundle bundle
}

@test "a profile of a file is taken over for this machine" {
	busybox_image
	docker_profile
	busybox_bundle bundle --security-opt "seccomp=$PROFILE"
	jq -e '.linux.seccomp | .architectures[0] == "SCMP_ARCH_X86_64" and
		(has("archMap") | not) and ([.syscalls[] | has("includes")] | any | not) and
		([.syscalls[].names[]] | index("mount") | not)' bundle/config.json
	berth_call run -b bundle "$ID"
	is "$status" 0
}

@test "wrong options are refused before anything is fetched" {
	local row

	for row in '--memory lots' '--cpus 0' '--pids 0' '--network a,b' '--user a:b:c' \
		'--cap-add NOTHING' '--volume name:/x' '--volume /nonexistent:/x' \
		'--tmpfs relative' '--tmpfs /x:size=1kk' '--tmpfs /x:size=%' '--tmpfs /x:nr_inodes=5%' \
		'--tmpfs /x:mode=17777' '--tmpfs /x:mode=' '--tmpfs /x:uid=4294967295' '--pids 4194305' \
		'--security-opt apparmor=x' '--userns keep-id' '--cwd here' \
		'--hostname a_b' '--image-volumes copy' '--env =x'; do
		# shellcheck disable=SC2086 # an option and its argument
		pull_fails "${row%% *}" --from oci:nowhere $row bundle
		# shellcheck disable=SC2154 # helpers.bash sets it
		lacks "$stderr" nowhere
		is "$(wc -l <"$ERR")" 1 "lines for $row"
		[[ ! -e $STORE ]] || fail "a store was made for $row"
	done
}

@test "what is not UTF-8 is refused: config.json cannot have it" {
	local bad=$'b\xff' option

	busybox_image
	mkdir "$bad"
	for option in --env=A= --arg= --entrypoint=/ --volume="$T/" --tmpfs=/; do
		pull_fails 'is not UTF-8' --from oci:layout:busybox "$option$bad" bundle
	done
	A=$bad pull_fails 'is not UTF-8' --from oci:layout:busybox --env A bundle
	# The bundle's own place may be so, and the store's for a flat root.
	busybox_bundle "$bad/bundle" --entrypoint /bin/pwd
	run_bundle "$bad/bundle"
	STORE=$T/$bad/store
	pull_fails "the store's path" --from oci:layout:busybox bundle
	busybox_bundle bundle --flat --entrypoint /bin/pwd
	run_bundle bundle
}

@test "a bundle takes no place from under those who are there" {
	busybox_image
	mkdir empty mounted
	(cd empty && pull_fails 'is the working directory' --from oci:nowhere .)
	mount -t tmpfs none mounted
	pull_fails 'is a mount point' --from oci:nowhere mounted
	busybox_bundle mounted/bundle --entrypoint /bin/pwd
	run_bundle mounted/bundle
	rm -r mounted/bundle
	umount mounted
}

@test "an existing bundle is not touched" {
	busybox_image
	mkdir full
	touch full/file
	pull_fails 'not empty' --from oci:layout:busybox full
	is "$(ls -A full)" file
	touch file
	pull_fails file --from oci:layout:busybox file
	mkdir empty
	pull --from oci:layout:busybox empty
	is "$(stat -c %a empty)" 700
	# nothing beside it
	is "$(find . -maxdepth 1 -name '.berth*')" ''
}
