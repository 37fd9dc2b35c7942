#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SELinux: the labels of processes, keyrings and mounts. What the labels mean is in
# tests/vm/selinux.te.

load ../integration/helpers

PROCESS=system_u:system_r:container_t:s0:c1,c2
FILES=system_u:object_r:container_file_t:s0:c1,c2
OTHER=system_u:object_r:container_file_t:s0:c3
HOST=system_u:object_r:host_t:s0

setup_labels() {
	requires selinux
	config '.process.selinuxLabel = $p | .linux.mountLabel = $m' --arg p "$PROCESS" --arg m "$FILES"
}

# A user namespace whose root is another user of the host.
new_user() {
	chmod 755 "$T" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
}

# The label of $1, as the payload printed it, is $2.
label_is() {
	is "$(sed -n "s|^$1 ||p" "$OUT")" "$2" "$1"
}

@test "init and the keyring that it makes have the label of the process" {
	setup_labels
	run_probe labels current keys
	label_is current "$PROCESS"
	label_is keys "$PROCESS"
}

@test "without a label the process has its creator's" {
	setup_labels
	config 'del(.process.selinuxLabel, .linux.mountLabel)'
	run_probe labels current keys /dev /dev/null
	label_is current system_u:system_r:host_t:s0
	label_is keys system_u:system_r:host_t:s0
	label_is /dev "$HOST"
	label_is /dev/null "$HOST"
}

@test "exec has the container's label, with --process too, or another one that is asked for" {
	setup_labels
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe labels current keys
	label_is current "$PROCESS"
	label_is keys "$PROCESS"
	berth exec --process-label "${PROCESS%,*}" "$ID" /bin/probe labels current keys
	label_is current "${PROCESS%,*}"
	jq '.process | .args = ["/bin/probe", "labels", "current"] | del(.selinuxLabel)' config.json >"$T/p.json"
	berth exec --process "$T/p.json" "$ID"
	label_is current "$PROCESS"
	jq --arg l "${PROCESS%,*}" '.selinuxLabel = $l' "$T/p.json" >"$T/q.json"
	berth exec --process "$T/q.json" "$ID"
	label_is current "${PROCESS%,*}"
}

@test "new file systems have linux.mountLabel: /dev and what is on it, tmpfs, mqueue, masks" {
	setup_labels
	mkdir rootfs/masked
	config '.mounts += [{destination: "/t", type: "tmpfs", source: "tmpfs"}] |
		.linux.maskedPaths += ["/masked"]'
	run_probe labels /dev /dev/null /dev/fd /dev/shm /dev/pts /dev/pts/ptmx /dev/mqueue /t /masked
	for path in /dev /dev/null /dev/fd /dev/shm /dev/pts /dev/pts/ptmx /dev/mqueue /t /masked; do
		label_is "$path" "$FILES"
	done
}

@test "the kernel's own file systems, bind mounts and the root keep their labels" {
	setup_labels
	mkdir "$T/volume"
	config '.mounts += [{destination: "/v", source: $v, options: ["rbind"]},
		{destination: "/cg", type: "cgroup2", source: "cgroup2"}]' --arg v "$T/volume"
	run_probe labels / /bin/busybox /v /proc /proc/version /sys /sys/kernel /cg
	for path in / /bin/busybox /v /proc /proc/version /sys /sys/kernel /cg; do
		label_is "$path" "$HOST"
	done
}

@test "an option of the mount's own counts for more, with quotes and without" {
	setup_labels
	config '.mounts += [{destination: "/plain", type: "tmpfs", source: "t", options: ["context=" + $l]},
		{destination: "/quoted", type: "tmpfs", source: "t", options: ["context=\"" + $l + ",c2\""]},
		{destination: "/root", type: "tmpfs", source: "t", options: ["rootcontext=" + $l]}]' \
		--arg l "$OTHER"
	run_probe labels /plain /quoted /root
	label_is /plain "$OTHER"
	label_is /quoted "${OTHER/c3/c2,c3}"
	label_is /root "$OTHER"
}

@test "run.oci.mount_context_type names the option" {
	setup_labels
	config '.annotations = {"run.oci.mount_context_type": "rootcontext"}'
	run_script '/bin/probe labels /dev/shm && mkdir /dev/shm/a && /bin/probe labels /dev/shm/a
		grep " /dev/shm " /proc/mounts'
	label_is /dev/shm "$FILES"
	contains "$output" "rootcontext=\"$FILES\""
	config '.annotations = {"run.oci.mount_context_type": "filecontext"}'
	berth_fails 'annotations["run.oci.mount_context_type"]: "filecontext"' run "$ID"
}

@test "an overlay root has the label, of several layers and of one" {
	setup_labels
	mv rootfs lower0
	mkdir rootfs lower1 upper work
	config '.annotations["org.berth.overlay.lower"] = "lower1:lower0"'
	run_probe labels / /bin/busybox
	label_is / "$FILES"
	label_is /bin/busybox "$FILES"
	config '.annotations["org.berth.overlay.lower"] = "lower0"'
	run_probe labels / /bin/busybox
	label_is / "$FILES"
	label_is /bin/busybox "$FILES"
	config '.annotations += {"org.berth.overlay.upper": "upper", "org.berth.overlay.work": "work"} |
		.root.readonly = false'
	run_script 'echo >/new && /bin/probe labels / /new /bin/busybox'
	label_is / "$FILES"
	label_is /new "$FILES"
	label_is /bin/busybox "$FILES"
}

@test "an overlay among the mounts has the label, or its own" {
	setup_labels
	mkdir "$T/a" "$T/b"
	config '.mounts += [
		{destination: "/o", type: "overlay", source: "overlay", options: ["lowerdir=" + $t + "/a:" + $t + "/b"]},
		{destination: "/p", type: "overlay", source: "overlay", options: ["lowerdir=" + $t + "/a:" + $t + "/b",
			"context=\"" + $l + "\""]}]' --arg t "$T" --arg l "$OTHER"
	run_probe labels /o /p
	label_is /o "$FILES"
	label_is /p "$OTHER"
}

@test "in a user namespace the same mounts have the label" {
	setup_labels
	new_user
	run_probe labels current keys /dev /dev/shm /dev/pts /dev/mqueue /proc
	label_is current "$PROCESS"
	label_is keys "$PROCESS"
	for path in /dev /dev/shm /dev/pts /dev/mqueue; do
		label_is "$path" "$FILES"
	done
	label_is /proc "$HOST"
	run_detached "$ID" sleep
	berth exec "$ID" /bin/probe labels current
	label_is current "$PROCESS"
}

@test "an overlay root with mapped layers has the label" {
	setup_labels
	requires idmap
	new_user
	mv rootfs lower0
	mkdir rootfs lower1
	config '.annotations = {"org.berth.overlay.idmap": "lower", "org.berth.overlay.lower": "lower0"}'
	run_probe labels / /bin/busybox
	label_is / "$FILES"
	label_is /bin/busybox "$FILES"
	config '.annotations["org.berth.overlay.lower"] = "lower1:lower0"'
	run_probe labels /bin/busybox
	label_is /bin/busybox "$FILES"
}

@test "the queues of the host keep their label" {
	setup_labels
	config '.linux.namespaces |= map(select(.type != "ipc"))'
	run_probe labels /dev/mqueue
	label_is /dev/mqueue "$HOST"
	is "$(getfattr --absolute-names --only-values -n security.selinux /dev/mqueue | tr -d '\0')" "$HOST"
}

@test "the terminal of a container has the label" {
	setup_labels
	config '.process.terminal = true'
	config_args /bin/probe labels /dev/console /dev/pts/0
	OUT=$T/terminal
	BERTH_TEST=$ID timeout "$BERTH_TIMEOUT" "$CACHE_DIR/pty" -- "$RUNTIME" --root "$STATE" run "$ID" \
		</dev/null 3>&- 4>&- | tr -d '\r' >"$OUT"
	label_is /dev/console "$FILES"
	label_is /dev/pts/0 "$FILES"
}

@test "labels that the policy does not know are refused by the field" {
	setup_labels
	config '.process.selinuxLabel = "a:b:c:d"'
	berth_fails 'process.selinuxLabel: "a:b:c:d" is no context' run "$ID"
	nothing_left
	config '.process.selinuxLabel = $p | .linux.mountLabel = $p + ",c99"' --arg p "$PROCESS"
	berth_fails "linux.mountLabel: \"$PROCESS,c99\" is no context" run "$ID"
	nothing_left
	config '.linux.mountLabel = ""'
	run_detached "$ID" sleep
	berth_exits 255 exec --process-label a:b:c:d "$ID" /bin/true
	one_line_error 'process.selinuxLabel: "a:b:c:d" is no context'
}

@test "labels that the policy does not allow are refused by the field" {
	local denied

	setup_labels
	config '.linux.mountLabel = "system_u:object_r:forbidden_t:s0"'
	denied='does SELinux let it have linux.mountLabel, "context=system_u:object_r:forbidden_t:s0"?'
	berth_fails "$denied" run "$ID"
	nothing_left
	config '.mounts = [] | .linux.maskedPaths = ["/etc"]'
	berth_fails "$denied" run "$ID"
	config '.annotations["org.berth.overlay.lower"] = "rootfs"'
	berth_fails "$denied" run "$ID"
	nothing_left
	config 'del(.annotations) | .linux.mountLabel = "" | .process.selinuxLabel = "system_u:system_r:forbidden_t:s0"'
	berth_fails 'process.selinuxLabel: does SELinux allow "system_u:system_r:forbidden_t:s0"?' run "$ID"
	nothing_left
	config '.process.selinuxLabel = $p' --arg p "$PROCESS"
	run_detached "$ID" sleep
	berth_exits 255 exec --process-label system_u:system_r:forbidden_t:s0 "$ID" /bin/true
	one_line_error process.selinuxLabel
}

# As an engine of an ordinary user has it: berth is root of a user namespace alone.
@test "berth in a user namespace labels the same" {
	setup_labels
	config 'del(.linux.resources) | .mounts |= map(select(.type != "cgroup" and .type != "sysfs")
		| if .type == "devpts" then .options -= ["gid=5"] else . end) |
		.linux.namespaces |= map(select(.type != "network"))'
	config_args /bin/sleep 100
	# shellcheck disable=SC2016 # the inner shell expands it
	BERTH_TEST=$ID unshare --user --map-root-user --mount sh -euc '
		berth="$1 --root $2 --cgroup-manager disabled"
		$berth run -d "$3" </dev/null >/dev/null
		trap "$berth delete --force $3" EXIT
		$berth exec "$3" /bin/probe labels current keys /dev /dev/shm /dev/mqueue /proc' \
		_ "$RUNTIME" "$STATE" "$ID" >"$T/out"
	OUT=$T/out
	label_is current "$PROCESS"
	label_is keys "$PROCESS"
	for path in /dev /dev/shm /dev/mqueue; do
		label_is "$path" "$FILES"
	done
	label_is /proc "$HOST"
}

# podman looks for the configuration of libselinux, and for its own labels in it.
give_podman_labels() {
	local contexts=/etc/selinux/tests/contexts

	mkdir -p "$contexts"
	printf '%s\n' SELINUX=enforcing SELINUXTYPE=tests >/etc/selinux/config
	printf '%s = "%s"\n' process "${PROCESS%:*}" file "${FILES%:*}" ro_file "${FILES%:*}" \
		>"$contexts/lxc_contexts"
}

@test "what is wrong is not always the label" {
	setup_labels
	new_user
	config '(.linux.uidMappings, .linux.gidMappings)[0].size = 5'
	berth_fails 'are the ids of uid= and gid= mapped' run "$ID"
	lacks "$stderr" mountLabel
	config 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user")) |
		.mounts += [{destination: "/t", type: "tmpfs", source: "t", options: ["no-such-option"]}]'
	berth_fails 'option "no-such-option"' run "$ID"
	lacks "$stderr" mountLabel
	nothing_left
}

@test "podman: a container, its volumes and its files, and exec" {
	requires selinux machine command=podman
	give_podman_labels
	# shellcheck disable=SC2016 # the inner shell expands it
	BERTH=$BERTH CRUN=$(command -v crun) RUNC=$(command -v runc) \
		"$PROJECT_DIR/tests/engines/lab.sh" bash -euc '
		mkdir -p "$LAB/root/bin" "$LAB/volume"
		cp "$1" "$LAB/root/bin/probe"
		options=(--network none --pids-limit 0 --security-opt label=level:s0:c1,c2)
		podman --runtime berth run -d --name test "${options[@]}" -v "$LAB/volume:/v:Z" --tmpfs /t \
			--rootfs "$LAB/root" /bin/probe sleep
		podman --runtime berth exec test /bin/probe labels \
			current keys /v /dev /dev/shm /dev/mqueue /t /etc/hosts /proc /bin/probe
		podman --runtime berth rm -f -t 0 test' _ "$CACHE_DIR/probe" >"$T/out"
	OUT=$T/out
	label_is current "$PROCESS"
	label_is keys "$PROCESS"
	for path in /v /dev /dev/shm /dev/mqueue /t /etc/hosts; do
		label_is "$path" "$FILES"
	done
	label_is /proc "$HOST"
	label_is /bin/probe "$HOST"
}

@test "a container that joins the queues of another one labels them once, in user namespaces too" {
	setup_labels
	new_user
	run_detached "$ID-pod" sleep
	config '.linux.namespaces |= map(if .type == "ipc" or .type == "user"
		then .path = "/proc/" + $p + "/ns/" + .type else . end)' --arg p "$PID"
	run_probe labels current /dev/mqueue
	label_is current "$PROCESS"
	label_is /dev/mqueue "$FILES"
}
