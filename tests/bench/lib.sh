# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share: reading options, summing up samples, keeping the document.

# Prints what is wrong and stops.
die() {
	printf 'bench: %s\n' "$*" >&2
	exit 1
}

# Reads the words after $1 into BENCH_ROUNDS and so on. $1 names the options that have a value;
# besides there are --check, --quick (which calls quick_options) and --help (usage).
parse_options() {
	local valued=" $1 " name

	shift
	while (($# > 0)); do
		name=${1#--}
		case $1 in
		--quick) quick_options ;;
		--check) export BENCH_CHECK=yes ;;
		--help)
			usage
			exit 0
			;;
		*)
			[[ $1 == --* && $valued == *" $name "* ]] || die "unknown option '$1' (see --help)"
			(($# > 1)) || die "$1 needs a value"
			declare -gx "BENCH_${name^^}=$2"
			shift
			;;
		esac
		shift
	done
	[[ $BENCH_ROUNDS =~ ^[1-9][0-9]*$ ]] || die "--rounds: '$BENCH_ROUNDS' is not a number"
	[[ $BENCH_SECONDS =~ ^[1-9][0-9]*$ ]] || die "--seconds: '$BENCH_SECONDS' is not a number"
	if [[ $BENCH_DOC ]]; then BENCH_DOC=$(realpath -m "$BENCH_DOC"); fi
	# It is replaced as a whole: of /dev/null nothing would be left.
	[[ ! -e $BENCH_DOC || -f $BENCH_DOC ]] || die "--doc: '$BENCH_DOC' is no regular file"
	if [[ $BENCH_KEEP ]]; then BENCH_KEEP=$(realpath -m "$BENCH_KEEP"); fi
}

# Fails if the list $2 of option $1 has something else than the names that follow.
check_list() {
	local option=$1 list=$2 names

	shift 2
	names=$(
		IFS='|'
		echo "$*"
	)
	[[ $list =~ ^($names)(,($names))*$ ]] || die "--$option: '$list' is not a list of $*"
}

# Succeeds if the rival $1 takes part.
takes_part() {
	[[ ,$BENCH_RIVALS, == *,$1,* ]]
}

# Prints, one line a spec, case, rival and measure, its value from $1/samples.tsv: wall, min and p90
# in ns, cpu in us, rss in KiB; spread is the middle half's width in percent of the median wall time.
summarize() {
	sort -k1,3 -k4,4n "$1/samples.tsv" | awk -v OFS='\t' '
		function flush_group(n,    i) {
			if (!n)
				return
			print key, "rounds", n
			print key, "wall", wall[int((n + 1) / 2)]
			print key, "min", wall[1]
			print key, "p90", wall[int(n * 9 / 10 + 0.999)]
			print key, "spread", 100 * (wall[int(n * 3 / 4 + 0.999)] - \
				wall[int(n / 4 + 0.999)]) / wall[int((n + 1) / 2)]
			sort_numbers(cpu, n)
			print key, "cpu", cpu[int((n + 1) / 2)]
			sort_numbers(rss, n)
			print key, "rss", rss[int((n + 1) / 2)]
			print key, "rss-max", rss[n]
		}
		function sort_numbers(a, n,    i, j, v) {
			for (i = 2; i <= n; i++) {
				v = a[i]
				for (j = i - 1; j > 0 && a[j] > v; j--)
					a[j + 1] = a[j]
				a[j + 1] = v
			}
		}
		$1 OFS $2 OFS $3 != key {
			flush_group(n)
			key = $1 OFS $2 OFS $3
			n = 0
		}
		{
			n++
			wall[n] = $4
			cpu[n] = $5
			rss[n] = $6
		}
		END { flush_group(n) }'
}

# Prints the widest spread of the wall times in $1: how noisy the machine was.
widest_spread() {
	awk -F'\t' '$4 == "spread" && $5 > max { max = $5 } END { printf "%.0f %%\n", max }' "$1"
}

# Prints how often the least measured case in $1 was measured.
fewest_rounds() {
	awk -F'\t' '$4 == "rounds" { print $5 }' "$1" | sort -n | head -n 1
}

# Prints what the machine is.
machine() {
	echo "Linux $(uname -r | sed 's/-.*//') ($(uname -m)), $(nproc) processors, $(date -u +%Y-%m-%d)"
}

# Puts standard input into the document $1 in place of the section of tests/bench/$2; the sections
# of others stay as they are.
write_section() {
	local file=$1 name=$2 text begin end

	text=$(cat)
	begin="<!-- begin: tests/bench/$name -->"
	end="<!-- end: tests/bench/$name -->"
	mkdir -p "$(dirname "$file")"
	if [[ ! -e $file ]]; then
		document_head >"$file"
	fi
	if ! grep -qxF -- "$begin" "$file"; then
		printf '\n%s\n%s\n' "$begin" "$end" >>"$file"
	fi
	TEXT=$text awk -v begin="$begin" -v end="$end" '
		$0 == begin {
			print begin "\n" ENVIRON["TEXT"]
			skip = 1
		}
		$0 == end { skip = 0 }
		!skip' "$file" >"$file.new"
	mv "$file.new" "$file"
}

# Prints what the document says before its first section.
document_head() {
	cat <<-'TEXT'
		# Performance

		Made by the programs of `tests/bench`; do not edit between the marks. Most numbers
		are ratios: the value of berth divided by the other program's in the same run, so 0.50 is half
		the time, memory or calls, and less is better. Absolute times say more about the machine than
		about the program; to know yours, run the benchmarks there.
	TEXT
}

# Prints the value of spec $2, case $3, rival $4 and measure $5 in the summary $1, or fails.
value_of() {
	awk -F'\t' -v key="$2/$3/$4/$5" '
		$1 "/" $2 "/" $3 "/" $4 == key { print $5; found = 1; exit }
		END { exit !found }' "$1"
}

# Prints measure $4 of spec $2, case $3 in the summary $1: the value of $5 divided by that of $6.
ratio_of() {
	local own other

	if own=$(value_of "$1" "$2" "$3" "$5" "$4") && other=$(value_of "$1" "$2" "$3" "$6" "$4"); then
		awk "BEGIN { printf \"%.3f\", $own / $other }"
	else
		printf unknown
	fi
}

# Prints whether $2 (or "unknown") is at most $3, in the words of $1; fails if it is not.
verdict() {
	local word=ok missed=0

	if [[ $2 == unknown ]] || ! awk "BEGIN { exit !($2 <= $3) }"; then
		word=MISSED
		missed=1
	fi
	printf 'bench: %s: %s, at most %s: %s\n' "$1" "$2" "$3" "$word"
	return "$missed"
}

# Leaves the files $2 and on of directory $1 where --keep says.
keep_samples() {
	local from=$1

	shift
	if [[ $BENCH_KEEP ]]; then
		mkdir -p "$BENCH_KEEP"
		(cd "$from" && cp "$@" "$BENCH_KEEP/")
	fi
}

# Puts the runtimes side by side into $1, so that all start from the same file system.
copy_rivals() {
	local name peers=${CONFORMANCE_WORK:-$tree/build/conformance}/peers
	local berth=${BERTH:-$tree/build/release/berth}

	"$tree/tests/conformance/peers.sh"
	for name in crun runc; do
		cp -L "$peers/$name" "$1/$name"
	done
	if takes_part berth; then
		[[ -x $berth ]] || die "no berth at $berth: build it first, or name it in BERTH"
		cp "$berth" "$1/berth"
	fi
}

# Writes two bundles into $1, where runc is and a root file system whose /bin/true they run: default
# (what runc spec writes, no terminal) and docker.
write_bundle_pair() {
	local dir name

	for dir in default docker; do
		mkdir -p "$1/$dir"
		cp -a "$1/rootfs" "$1/$dir/rootfs"
		for name in resolv.conf hostname hosts; do
			: >"$1/$dir/$name"
			: >"$1/$dir/rootfs/etc/$name"
		done
	done
	"$1/runc" spec --bundle "$1/default"
	jq '.process.terminal = false | .process.args = ["/bin/true"]' \
		"$1/default/config.json" >"$1/config.json"
	mv "$1/config.json" "$1/default/config.json"
	"$tree/tests/bench/seccomp-profile" >"$1/seccomp.json"
	jq --slurpfile seccomp "$1/seccomp.json" --arg bundle "$1/docker" \
		--from-file "$tree/tests/bench/docker-like.jq" "$1/default/config.json" >"$1/docker/config.json"
}
