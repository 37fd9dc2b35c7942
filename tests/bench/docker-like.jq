# SPDX-License-Identifier: Apache-2.0
# Turns the default spec ("runc spec", terminal false) into one like those that Docker writes: 14
# capabilities, its device rules, masked and read-only paths, sysctls, three files bound over /etc,
# and the seccomp profile given as $seccomp[0]. $bundle is where the bound files lie.

def bind_file($name): {
	destination: "/etc/\($name)", type: "bind", source: "\($bundle)/\($name)",
	options: ["rbind", "rprivate"]
};

def allow_device($type; $major; $minor; $access): {
	allow: true, type: $type, access: $access
} + (if $major then {major: $major} else {} end) + (if $minor then {minor: $minor} else {} end);

[
	"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP",
	"SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"
] as $names |
[$names[] | "CAP_" + .] as $capabilities |

.hostname = "4f2c9e8a7b61" |
.root.readonly = false |
.process.user = {uid: 0, gid: 0, additionalGids: [0, 10]} |
.process.env += ["HOSTNAME=4f2c9e8a7b61"] |
.process.capabilities = {
	bounding: $capabilities, effective: $capabilities, permitted: $capabilities
} |
.process.noNewPrivileges = false |
.process.oomScoreAdj = 0 |
del(.process.rlimits) |
.mounts += [bind_file("resolv.conf"), bind_file("hostname"), bind_file("hosts")] |
.linux.sysctl = {
	"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"
} |
.linux.resources.devices = [
	{allow: false, access: "rwm"},
	allow_device("c"; 1; 5; "rwm"), allow_device("c"; 1; 3; "rwm"),
	allow_device("c"; 1; 9; "rwm"), allow_device("c"; 1; 8; "rwm"),
	allow_device("c"; 5; 0; "rwm"), allow_device("c"; 5; 1; "rwm"),
	{allow: false, type: "c", major: 10, minor: 229, access: "rwm"},
	allow_device("c"; null; null; "m"), allow_device("b"; null; null; "m"),
	allow_device("c"; 1; 7; "rwm"), allow_device("c"; 136; null; "rwm"),
	allow_device("c"; 5; 2; "rwm")
] |
.linux.maskedPaths = [
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
	"/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"
] |
.linux.readonlyPaths = [
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"
] |
.linux.seccomp = $seccomp[0]
