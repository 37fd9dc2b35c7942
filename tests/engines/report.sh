#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Reads the results of the engines' cases.
#
# usage: report.sh page DIR                  print the page of all runtimes
#        report.sh lost DIR                  fail, and name the cases, if berth fails where others pass
#        report.sh summary DIR [ENGINE...]   print berth's sums; fail if a case failed

set -euo pipefail
what=$1 dir=$2
shift 2
declare -A titles=([podman]='podman as root' [rootless]='podman as an ordinary user'
	[ctr]="containerd's ctr" [podman-systemd]='podman as root, with systemd'
	[rootless-systemd]='podman as an ordinary user, with systemd'
	[ctr-systemd]="containerd's ctr, with systemd")

# Those that were run, in this order.
engines=()
for name in podman rootless ctr podman-systemd rootless-systemd ctr-systemd; do
	[[ ! -e $dir/berth-$name.tap ]] || engines+=("$name")
done

# Print a row for each case of the engine $1, in their order: name, then the three verdicts, then why
# it was skipped, with tabs between.
rows() {
	local runtime files=()
	for runtime in berth crun runc; do
		[[ ! -e $dir/$runtime-$1.tap ]] || files+=("$dir/$runtime-$1.tap")
		# What ran in a virtual machine after all counts.
		[[ ! -e $dir/$runtime-$1.vm.tap ]] || files+=("$dir/$runtime-$1.vm.tap")
	done
	awk -v OFS='\t' -v runtimes='berth crun runc' '
		function name_of(line) {
			sub(/^(not )?ok [0-9]+ /, "", line)
			sub(/ # skip.*/, "", line)
			sub(/ in [0-9]+ms$/, "", line)
			return line
		}
		/^(not )?ok / {
			split(FILENAME, part, "/")
			runtime = part[length(part)]
			sub(/-.*/, "", runtime)
			name = name_of($0)
			if (!(name in known)) { known[name] = 1; order[++count] = name }
			verdict = /^not/ ? "**failed**" : "passed"
			if (FILENAME ~ /\.vm\.tap$/) { verdict = verdict " (VM)" }
			why = ""
			if (/ # skip/) { verdict = "–"; why = $0; sub(/.* # skip ?/, "", why) }
			verdicts[runtime, name] = verdict
			reason[runtime, name] = why
		}
		END {
			for (i = 1; i <= count; i++) {
				name = order[i]
				print name, verdicts["berth", name], verdicts["crun", name],
					verdicts["runc", name], reason["berth", name]
			}
		}' "${files[@]}"
}

# The last line of the version of the engine $1, and of the runtimes.
versions() {
	local line
	podman --version
	containerd --version | awk '{ print "containerd " $3 }'
	for line in "$BERTH" "$CRUN" "$RUNC"; do
		"$line" --version | sed -n 1p
	done
}

engine_section() {
	echo
	echo "## ${titles[$1]}"
	echo
	rows "$1" | awk -F'\t' '{ n++; for (i = 2; i <= 4; i++) { p[i] += $i ~ /^passed/; f[i] += $i ~ /failed/ } }
		END { printf "%d cases. berth passes %d and fails %d, crun %d and %d, runc %d and %d.\n\n",
			n, p[2], f[2], p[3], f[3], p[4], f[4] }'
	echo '| case | berth | crun | runc | not run with berth, because |'
	echo '|---|---|---|---|---|'
	rows "$1" | awk -F'\t' '{ gsub(/\|/, "\\|"); printf "| %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5 }'
}

page() {
	cat <<-END
		# Engines

		Made by \`tests/engines/run --compare\`; do not edit. Every case is run by the engine in a world
		of its own (tests/engines/lab.sh), checks an effect, and that no process, mount, cgroup, network
		namespace or state directory is left. The same cases run with all three runtimes, on
		$(uname -s) $(uname -r | cut -d. -f1,2):
		$(versions | paste -sd, | sed 's/,/, /g').
		Cases "with systemd" run in a virtual machine, where systemd is process 1 and makes the cgroups.
	END
	local engine
	for engine in "${engines[@]}"; do
		engine_section "$engine"
	done
}

lost() {
	local engine bad=0 name
	for engine in "${engines[@]}"; do
		while IFS= read -r name; do
			echo "engines: berth fails, a peer does not: ${titles[$engine]}: $name"
			bad=1
		done < <(rows "$engine" | awk -F'\t' '$2 !~ /^passed/ && ($3 ~ /^passed/ || $4 ~ /^passed/) { print $1 }')
	done
	return "$bad"
}

summary() {
	local engine
	(($# > 0)) || set -- "${engines[@]}"
	for engine in "$@"; do
		head -n 1 "$dir/berth-$engine.tap" | grep -q '^1\.\.[1-9]' || {
			echo "engines: no results with $engine" >&2
			return 1
		}
	done
	for engine in "$@"; do
		rows "$engine"
	done | awk -F'\t' '
		$2 ~ /^passed/ { p++ }
		$2 ~ /failed/ { f++ }
		$2 == "–" { s++; print "skip: " $5 }
		END { printf "engines: %d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }'
}

case $what in
page | lost | summary) "$what" "$@" ;;
esac
