#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Calls that are dangerous in a container runtime, each allowed in the listed files only.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_begin "$@"

# NAMES | FILES that may, "-": none | why
table='
mount | src/mount/overlay.c | overlay takes options that fsconfig cannot; all else by descriptor
umount umount2 | src/mount/overlay.c src/mount/overlay_map.c src/mount/pivot.c | detaching what berth itself attached
fork vfork | - | clone3 in base/sys.c: with a pidfd, and into the cgroup
_exit | src/base/alloc.c src/base/spawn.c src/base/background.c src/stage/exec.c src/stage/init.c src/stage/steps.c src/stage/wait.c src/stage/clone.c src/stage/middle.c src/linux/idmap_holder.c src/pull/user_namespace.c src/net/netns.c | children end there, after the error was sent; out of memory; lost in another namespace
exit _Exit quick_exit atexit | - | main() returns, children use _exit()
abort | src/base/alloc.c | out of memory
getenv secure_getenv setenv putenv unsetenv clearenv | src/cli/main.c src/pull/main.c src/net/main.c src/systemd/main.c | what the environment decides is decided in one place
chdir fchdir | src/base/spawn.c src/base/background.c src/mount/overlay.c src/mount/pivot.c src/stage/enter.c src/stage/visit.c | the working directory is global to the process
chroot | src/mount/pivot.c | --no-pivot
setns unshare | src/linux/namespaces.c src/mount/sources.c src/stage/clone.c src/stage/exec.c src/stage/parent.c src/stage/visit.c src/stage/middle.c src/pull/user_namespace.c src/net/netns.c | namespaces are changed where the stages say so
pivot_root | - | sys_pivot_root()
execve execv execvp execvpe execl execlp execle execveat fexecve | src/base/spawn.c src/base/background.c src/stage/enter.c src/linux/selfexe.c | all that execute something
realpath canonicalize_file_name get_current_dir_name | - | base/root.c resolves paths, by descriptor
system popen posix_spawn posix_spawnp wordexp | - | base/spawn.c runs programs, without a shell
strcpy strcat sprintf vsprintf stpcpy gets strncpy strncat | - | snprintf, or struct buf
atoi atol atoll strtol strtoul strtoll strtoull sscanf | - | str_to_u64() and its kin say what is wrong
alloca strdupa strndupa | - | the stack is small, and sizes come from users
malloc calloc realloc strdup strndup asprintf vasprintf | src/base/alloc.c | base/alloc.h: never NULL
syscall | src/base/sys.c | one function for each call, with its kernel types
printf fprintf vprintf vfprintf dprintf vdprintf puts fputs putchar putc fputc perror psignal warn warnx err errx syslog | src/cli/ src/pull/main.c src/pull/progress.c | only cli prints
sleep usleep nanosleep | - | wait for the event
signal | - | sigaction or signalfd
pipe dup accept creat fopen tmpfile mkstemp mktemp tmpnam tempnam epoll_create inotify_init eventfd_simple | - | close-on-exec from birth: pipe2, F_DUPFD_CLOEXEC, accept4 and so on
dup2 dup3 | src/base/spawn.c src/base/background.c src/linux/console.c | the standard descriptors of a program
rand srand random drand48 | - | getrandom
strtok localtime gmtime ctime asctime strerror_l | - | the _r forms keep no state
bzero bcopy index rindex | - | memset, memcpy, strchr
pthread_create | src/pull/ src/pull/stream/ | berth has one thread: setuid and setns act on one; berth-pull works side by side
'

# Words of the language, and what they are used for instead.
words='
goto | - | the _cleanup_ attributes undo
PATH_MAX | src/linux/executable.c src/mount/copy_up.c src/mount/pivot.c | paths have any length; it bounds only the text of a link and the name of an interpreter
MAXPATHLEN | - | paths have any length
setjmp longjmp | - | errors are returned
'

# check_names: each identifier of the code against both tables; a member of a struct is none.
check_names() {
	table="$table" words="$words" awk '
	function load(text, is_call, rows, count, i, cells, names, n, j) {
		count = split(text, rows, "\n")
		for (i = 1; i <= count; i++) {
			if (split(rows[i], cells, / *\| */) != 3)
				continue
			n = split(cells[1], names, " ")
			for (j = 1; j <= n; j++) {
				known[names[j]] = is_call ? 1 : 2
				files[names[j]] = " " cells[2] " "
				why[names[j]] = cells[3]
			}
		}
	}
	function allowed(file, list, directory) {
		directory = file
		sub(/[^\/]*$/, "", directory)
		return index(list, " " file " ") || index(list, " " directory " ")
	}
	BEGIN {
		load(ENVIRON["table"], 1)
		load(ENVIRON["words"], 0)
	}
	{
		split($0, where, ":")
		rest = substr($0, length(where[1]) + length(where[2]) + 3)
		before = ""
		while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
			name = substr(rest, RSTART, RLENGTH)
			before = before substr(rest, 1, RSTART - 1)
			rest = substr(rest, RSTART + RLENGTH)
			if (name in known && before !~ /(\.|->)$/ &&
			    (known[name] == 2 || rest ~ /^[ \t]*\(/) &&
			    !allowed(where[1], files[name]))
				print where[1] ":" where[2] "|" name ": " why[name]
			before = name
		}
	}' "$code"
}

# Files with one call that leaves a descriptor open on purpose: main() fills the numbers 0 to 2.
inherited='src/base/fd_standard.c'

# check_cloexec: every call that makes a descriptor says so itself, or by a variable "flags" that
# was set so in the same file. Statements go over lines.
check_cloexec() {
	awk -F: '
	{
		file = $1
		line = $2
		text = substr($0, length($1) + length($2) + 3)
		if (file != last) {
			statement = ""
			flags_say_so = 0
		}
		last = file
		if (statement == "")
			start = line
		statement = statement text
		if (text !~ /[;{}]/)
			next
		if (statement ~ /flags = .*CLOEXEC/)
			flags_say_so = 1
		if (statement ~ calls && statement !~ /CLOEXEC|_OPEN_FLAGS/ &&
		    !(flags_say_so && statement ~ /[^a-z_]flags[^a-z_]/) && file != inherited)
			print file ":" start
		statement = ""
	}' calls='(^|[^A-Za-z0-9_>.])(open|openat|openat2|socket|socketpair|accept4|pipe2|memfd_create|eventfd|signalfd|timerfd_create|epoll_create1|inotify_init1) *[(]' \
		inherited="$inherited" "$code"
}

code=$(mktemp)
trap 'rm -f "$code"' EXIT
c_code src include >"$code"
while IFS='|' read -r where text; do
	finding "$where" "$text"
done < <(check_names)
while IFS= read -r where; do
	finding "$where" "a descriptor that is not close-on-exec from birth"
done < <(check_cloexec)

lint_end forbidden
