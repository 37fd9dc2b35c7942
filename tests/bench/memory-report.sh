# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Turns what `memory` found into a table, a section of the document, and the verdict on the bar.

limit_max=0.5 # berth's smallest limit, against crun's

# Prints what people call the rival $1.
rival_title() {
	case $1 in
	*-host) echo "${1%-host} of the host" ;;
	program) echo 'no container' ;;
	*) echo "$1" ;;
	esac
}

# Prints a table in Markdown from the summary $1: smallest limits in KiB, and berth's to others'.
memory_table() {
	local machine spec rival rivals

	mapfile -t rivals < <(tr , '\n' <<<"$BENCH_RIVALS")
	printf '| kernel | spec |'
	for rival in "${rivals[@]}"; do
		printf ' %s, KiB |' "$(rival_title "$rival")"
	done
	printf ' berth / crun | berth / runc |\n|---|---|'
	printf -- '---:|%.0s' "${rivals[@]}" ratio ratio
	echo
	for machine in ${BENCH_MACHINES//,/ }; do
		for spec in default docker; do
			printf '| %s | %s |' "$(kernel_title "$1" "$machine")" "$(spec_title "$spec")"
			for rival in "${rivals[@]}"; do
				printf ' %s |' "$(value_of "$1" "$spec" "$machine" "$rival" limit || echo –)"
			done
			for rival in crun runc; do
				printf ' %s |' "$(ratio_of "$1" "$spec" "$machine" limit berth "$rival")"
			done
			echo
		done
	done
}

# Prints what kernel the machine $2 had, from the summary $1.
kernel_title() {
	local version

	version=$(value_of "$1" default "$2" kernel version)
	case $2 in
	uml) echo "${version%%-*}, user-mode Linux" ;;
	*) echo "${version%%-*}, QEMU" ;;
	esac
}

# Prints what people call the spec $1.
spec_title() {
	case $1 in
	docker) echo Docker-like ;;
	*) echo "$1" ;;
	esac
}

# Prints the document's section of summary $1, with the runtimes in directory $2.
memory_section() {
	local rival

	cat <<-TEXT
		## The smallest memory limit

		The least \`linux.resources.memory.limit\`, without swap, with which \`run\` of a static
		\`busybox true\` ends with exit status 0.

		$(memory_table "$1")

		### What was compared

	TEXT
	for rival in ${BENCH_RIVALS//,/ }; do
		case $rival in
		floor)
			cat <<-TEXT
				- floor: the bare C program of the first section, in a cgroup with the limit: what the kernel
				  charges for mounts and namespaces, and the program
			TEXT
			;;
		program)
			cat <<-TEXT
				- no container: \`busybox true\`, born in a cgroup with the limit, and nothing else
			TEXT
			;;
		*) echo "- $(rival_title "$rival"): $("$2/$rival" --version | head -n 1)" ;;
		esac
	done
	cat <<-TEXT

		$(date -u +%Y-%m-%d).

		### How

		- In a virtual machine (\`tests/vm/run\`), with pure cgroup v2 and all controllers. Found by bisection
		  in steps of a page (of a hundredth, where it is much), with three tries each; then as many pages
		  more as it takes until $BENCH_ROUNDS tries of $BENCH_ROUNDS succeed.
		- User-mode Linux has one processor. Processors keep charges of up to 64 pages for later use, each its
		  own, which may be why berth and crun need 150 to 360 KiB with two (\`--machines qemu\`), from run to run.
		- Runtimes, bundles, root file system and state lie in a tmpfs that was filled before, out of
		  another cgroup, which its pages are charged to; libraries are read, and five containers run
		  without a narrow limit, before the search begins. So no page of a file counts, whoever has big
		  ones.
		- That a container has the limit, no swap, and one process is looked at once, from outside.
		- The specs are those of the first section.
		- The program itself, and what the kernel charges for mounts, inodes and filters, are in every
		  figure. What a runtime written in C adds is little beside them (compare *floor* and *no
		  container*): so the bar of \`--check\`, half of crun's, cannot be reached, as \`--check\` itself
		  shows. berth's init needs no more while it sets up than the program does afterwards; so the
		  limit can hold from its first moment on, and does.
	TEXT
}

# Prints whether the bar holds, and fails if it does not; and how low the bar could be.
check_memory_bar() {
	local machine spec rival missed=0

	for machine in ${BENCH_MACHINES//,/ }; do
		for spec in default docker; do
			verdict "smallest memory limit, $spec, $machine, against crun" \
				"$(ratio_of "$1" "$spec" "$machine" limit berth crun)" "$limit_max" || missed=1
		done
		for rival in floor program; do
			printf 'bench: %s against crun, default, %s: %s\n' "$(rival_title "$rival")" \
				"$machine" "$(ratio_of "$1" default "$machine" limit "$rival" crun)"
		done
	done
	return "$missed"
}

# Reports on the summary in directory $1 as the options ask.
report() {
	memory_table "$1/summary.tsv"
	if [[ $BENCH_DOC ]]; then
		memory_section "$1/summary.tsv" "$1" | write_section "$BENCH_DOC" memory
	fi
	if [[ $BENCH_CHECK ]]; then
		check_memory_bar "$1/summary.tsv"
	fi
}
