#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.sysctl.

load helpers

@test "values of the container's network" {
	local before

	before=$(</proc/sys/net/ipv4/ip_forward)
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net.core.somaxconn": "256"}'
	run_probe report --sysctl net.ipv4.ip_forward --sysctl net.core.somaxconn
	json '.sysctl == {"net.ipv4.ip_forward": "1", "net.core.somaxconn": "256"}'
	is "$(</proc/sys/net/ipv4/ip_forward)" "$before"
}

@test "values of the ipc namespace" {
	config '.linux.sysctl = {"kernel.shmmax": "123456789", "kernel.msgmax": "4096",
		"kernel.shm_rmid_forced": "1", "kernel.sem": "100\t200\t30\t40",
		"fs.mqueue.msg_max": "7"}'
	run_probe report --sysctl kernel.shmmax --sysctl kernel.msgmax --sysctl kernel.shm_rmid_forced \
		--sysctl kernel.sem --sysctl fs.mqueue.msg_max
	json '.sysctl | .["kernel.shmmax"] == "123456789" and .["kernel.msgmax"] == "4096" and
		.["kernel.shm_rmid_forced"] == "1" and .["fs.mqueue.msg_max"] == "7" and
		(.["kernel.sem"] | test("^100\\s+200\\s+30\\s+40$"))'
}

@test "the name may be written with slashes" {
	config '.linux.sysctl = {"net/ipv4/ip_forward": "1"}'
	run_probe report --sysctl net.ipv4.ip_forward
	json '.sysctl["net.ipv4.ip_forward"] == "1"'
}

@test "a link name with a dot" {
	config '.linux.sysctl = {"net/ipv4/conf/lo/forwarding": "1"}'
	run_probe report --sysctl net.ipv4.conf.lo.forwarding
	json '.sysctl["net.ipv4.conf.lo.forwarding"] == "1"'
}

@test "kernel.domainname with a uts namespace" {
	config '.linux.sysctl = {"kernel.domainname": "harbour.example"}'
	run_probe
	json '.domainname == "harbour.example"'
}

@test "read-only /proc/sys of the container is no obstacle" {
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.readonlyPaths = ["/proc/sys"]'
	run_probe report --sysctl net.ipv4.ip_forward --path /proc/sys/net/ipv4/ip_forward
	json '.sysctl["net.ipv4.ip_forward"] == "1" and
		.paths["/proc/sys/net/ipv4/ip_forward"].write == "EROFS"'
}

@test "without a mount of /proc" {
	config '.linux.sysctl = {"kernel.domainname": "harbour.example"} |
		.mounts |= map(select(.destination != "/proc")) | del(.linux.maskedPaths) |
		del(.linux.readonlyPaths)'
	config_args /bin/uname -a
	berth run "$ID"
	run_probe
	json '.domainname == "harbour.example"'
}

# A sysctl that must be refused before anything is done; the host's value stays.
refused() {
	local file=/proc/sys/${1//.//}
	local before=

	[[ ! -r $file ]] || before=$(<"$file")
	config '.linux.sysctl = {($k): $v}' --arg k "$1" --arg v "$2"
	berth_fails 'linux.sysctl' create "$ID"
	contains "$stderr" "$1"
	[[ ! -r $file ]] || is "$(<"$file")" "$before" "$1 of the host"
}

@test "values of the whole host are refused" {
	refused kernel.panic 77
	refused vm.overcommit_memory 1
	refused fs.file-max 77777
	refused kernel.core_pattern '|/bin/false'
	refused kernel.hostname other
	nothing_left
}

@test "network values without a network namespace are refused" {
	config '.linux.namespaces |= map(select(.type != "network")) |
		.mounts |= map(select(.type != "sysfs"))'
	refused net.ipv4.ip_forward 1
	nothing_left
}

@test "ipc values without an ipc namespace are refused" {
	config '.linux.namespaces |= map(select(.type != "ipc")) |
		.mounts |= map(select(.type != "mqueue"))'
	refused kernel.shmmax 77
	refused fs.mqueue.msg_max 7
	nothing_left
}

@test "names that climb or point elsewhere are refused" {
	refused net.ipv4/../../kernel/panic 77
	refused net/../kernel/panic 77
	refused ../kernel/panic 77
	refused /kernel/panic 77
	refused 'net..' 1
	nothing_left
}

@test "an unknown value of the network: the error names it" {
	config '.linux.sysctl = {"net.no.such.value": "1"}'
	berth_fails net.no.such.value run "$ID"
	nothing_left
}

@test "a value that the kernel refuses: the error names it" {
	config '.linux.sysctl = {"net.ipv4.ip_forward": "banana"}'
	berth_fails net.ipv4.ip_forward run "$ID"
	nothing_left
}
