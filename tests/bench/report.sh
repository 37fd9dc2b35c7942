# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Turns the samples of a benchmark run into tables, the document and the verdict on the bars.

# What must hold: spec, case, measure, rival, the highest ratio.
bench_bars='
default run  wall crun 0.5
default run  rss  crun 0.5
default exec wall crun 0.5
user    run  wall crun 0.5
layers  run  wall crun 0.5
'

# Prints a table in Markdown: the first rival's values divided by those of each other one.
table() {
	awk -F'\t' -v rivals="$BENCH_RIVALS" '
		BEGIN {
			count = split(rivals, rival, ",")
			specs_count = split("default docker user layers", specs, " ")
			split("run cycle exec", cases, " ")
			split("wall p90 cpu rss calls", measures, " ")
			title["default"] = "default"
			title["docker"] = "Docker-like"
			title["user"] = "user namespace"
			title["layers"] = "overlay of 10 layers"
			title["run"] = "run"
			title["cycle"] = "create + start + delete"
			title["exec"] = "exec"
			title["wall"] = "wall time, median"
			title["p90"] = "wall time, 90th percentile"
			title["cpu"] = "user + system time"
			title["rss"] = "peak resident memory"
			title["calls"] = "system calls"
		}
		{ value[$1, $2, $3, $4] = $5 }
		function ratio(spec, case_, rest, measure,    a, b) {
			a = value[spec, case_, rival[1], measure]
			b = value[spec, case_, rest, measure]
			return a != "" && b > 0 ? sprintf("%.2f", a / b) : "–"
		}
		END {
			head = "| spec | case | measure |"
			rule = "|---|---|---|"
			for (i = 2; i <= count; i++) {
				head = head " " rival[1] " / " rival[i] " |"
				rule = rule "---:|"
			}
			print head
			print rule
			for (s = 1; s <= specs_count; s++)
				for (c = 1; c <= 3; c++)
					for (m = 1; m <= 5; m++) {
						if (value[specs[s], cases[c], rival[1], measures[m]] == "")
							continue
						row = "| " title[specs[s]] " | " title[cases[c]] " | " title[measures[m]] " |"
						for (i = 2; i <= count; i++)
							row = row " " ratio(specs[s], cases[c], rival[i], measures[m]) " |"
						print row
					}
		}' "$1"
}

# Prints the first line of what the rival $1 in directory $2 says of its version.
version_of() {
	if [[ $1 != floor ]]; then
		"$2/$1" --version | head -n 1
	fi
}

# Prints the document's section of summary $1, with the runtimes in directory $2: the table, and how
# and on what it was measured.
section() {
	local name

	cat <<-TEXT
		## Starting containers

		$(table "$1")

		### What was compared

	TEXT
	for name in ${BENCH_RIVALS//,/ }; do
		if [[ $name == floor ]]; then
			cat <<-TEXT
				- floor: a bare C program with the default spec's namespaces, mounts and cgroup, and
				  nothing else (\`tests/bench/floor.c\`): the least that the kernel asks for. It has
				  no Docker-like variant; the default one stands in both.
			TEXT
		else
			echo "- $(version_of "$name" "$2")"
		fi
	done
	cat <<-TEXT

		$(machine);
		$(fewest_rounds "$1") rounds or more of every case. Widest spread (the middle half of the wall
		times, relative to their median): $(widest_spread "$1").

		### How

		- The payload is a static program of one system call, so that what is measured is the
		  runtime. *default* is what \`runc spec\` writes, without a terminal. *Docker-like* has a
		  seccomp filter of about 400 system calls for three architectures, 14 capabilities, and the
		  device rules, masked paths, sysctls and bind mounts that Docker writes. *User namespace*
		  and *overlay of 10 layers* are the default spec with the one, or with a mount of the other.
		- All runtimes start from the same tmpfs, with state, bundle and root file system there, in a
		  private mount and pid namespace with a pure cgroup v2 at \`/sys/fs/cgroup\`.
		- Each round runs every rival once, beginning with another one each time; the first
		  $BENCH_WARMUP rounds do not count. Caches are warm, also those that a runtime keeps itself
		  (compiled seccomp filters).
		- Wall time is from the start of the runtime's process to its end; for
		  create + start + delete the sum of the three, without the wait between start and delete
		  until the container has ended.
		- User and system time, and peak resident memory (the largest of all processes), include the
		  container's own process and all that a runtime leaves detached. The memory values cannot
		  be below the measuring program's own size, about 650 KiB.
		- System calls are those of one run, counted through ptrace, in all processes and threads. For
		  programs in Go the number varies with the scheduler.
		- exec runs the payload in a container that the same runtime holds; \`floor\` joins its
		  namespaces and cgroup.
		- A virtual machine makes page faults and the start of programs dearer than bare metal does, which
		  favours the smaller program: there, read the ratios of time as those of such machines. Memory
		  and system calls do not depend on it.
	TEXT
}

# Prints for each bar whether it holds, and fails if one does not.
check_bars() {
	local spec case measure rival limit ratio missed=0

	while read -r spec case measure rival limit; do
		[[ $spec ]] || continue
		ratio=$(ratio_of "$1" "$spec" "$case" "$measure" "${BENCH_RIVALS%%,*}" "$rival")
		verdict "$measure of $case, $spec, against $rival" "$ratio" "$limit" || missed=1
	done <<<"$bench_bars"
	return "$missed"
}

# Reports on the samples in directory $1 as the options ask.
report() {
	summarize "$1" >"$1/summary.tsv"
	awk -v OFS='\t' '{ print $1, $2, $3, "calls", $4 }' "$1/calls.tsv" >>"$1/summary.tsv"
	table "$1/summary.tsv"
	printf '\nwidest spread of wall times: %s\n' "$(widest_spread "$1/summary.tsv")"
	if [[ $BENCH_DOC ]]; then
		section "$1/summary.tsv" "$1" | write_section "$BENCH_DOC" run
	fi
	keep_samples "$1" samples.tsv calls.tsv summary.tsv
	if [[ $BENCH_CHECK ]]; then
		check_bars "$1/summary.tsv"
	fi
}
