#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The inner part of tests/vm/run for QEMU: the daemon that serves the host's files, and the machine.
# Arguments: the kernel, the run's directory, the modules, then parameters of the kernel.
set -euo pipefail

kernel=$1 dir=$2 modules=$3
shift 3
memory=1024M # of each of two nodes
/usr/lib/qemu/virtiofsd --socket-path="$dir/fs.sock" -o source=/ -o cache=always -o sandbox=chroot \
	--rlimit-nofile=0 >"$dir/fs.log" 2>&1 &
until [ -S "$dir/fs.sock" ]; do
	kill -0 $! || exit 1
	sleep 0.05
done
qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048M \
	-object "memory-backend-memfd,id=memory0,size=$memory,share=on" \
	-object "memory-backend-memfd,id=memory1,size=$memory,share=on" \
	-numa node,memdev=memory0,cpus=0 -numa node,memdev=memory1,cpus=1 \
	-chardev "socket,id=fs,path=$dir/fs.sock" -device vhost-user-fs-pci,chardev=fs,tag=host \
	-kernel "$kernel" -initrd "$dir/initrd.img" \
	-append "console=ttyS0 quiet panic=1 VM_MODULES=${modules%:} $*" \
	-nodefaults -no-reboot -display none -monitor none \
	-serial "file:$dir/console.log" -serial stdio
