# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The last of process 1 before systemd takes its place: leaves of the host's units what the job needs,
# in the overlay. Started at boot is the job alone; the system's bus, logind and the managers of
# users start when they are asked for. There is no log but the kernel's (dmesg).

units=/etc/systemd/system

# Whatever the host's packages have enabled.
disable_all() {
	rm -rf /etc/systemd/{system,user} /lib/systemd/system/*.wants /lib/systemd/system-generators \
		/usr/lib/systemd/user/*.wants /usr/lib/systemd/user-generators \
		/usr/lib/systemd/user-environment-generators
	mkdir -p $units/{sockets,multi-user}.target.wants /etc/systemd/user/sockets.target.wants
	ln -s /lib/systemd/system/dbus.socket $units/sockets.target.wants/
	ln -s /usr/lib/systemd/user/dbus.socket /etc/systemd/user/sockets.target.wants/
}

# That of the package, without its sandbox, which takes long.
write_logind() {
	cat >$units/systemd-logind.service <<-END
		[Unit]
		Description=User Login Management
		Wants=user.slice dbus.socket
		After=user.slice dbus.socket
		[Service]
		BusName=org.freedesktop.login1
		ExecStart=/lib/systemd/systemd-logind
		RuntimeDirectory=systemd/sessions systemd/seats systemd/users systemd/inhibit systemd/shutdown
		RuntimeDirectoryPreserve=yes
		StateDirectory=systemd/linger
	END
}

# What runs out of memory in a container ends no job.
write_job_unit() {
	cat >$units/vm-job.service <<-END
		[Unit]
		Description=The job of this machine
		FailureAction=poweroff-immediate
		[Service]
		ExecStart=/bin/bash $VM_TREE/tests/vm/guest.sh job
		Environment=VM_KIND=$VM_KIND VM_TREE=$VM_TREE VM_INIT=systemd VM_TERMINAL=${VM_TERMINAL:-}
		Delegate=yes
		TasksMax=infinity
		OOMPolicy=continue
	END
	ln -s $units/vm-job.service $units/multi-user.target.wants/
}

# An ordinary user, who has a manager as soon as somebody asks for user@4444.service; he has no
# password.
add_user() {
	printf '%s\n' 'account required pam_permit.so' 'session required pam_systemd.so' \
		>/etc/pam.d/systemd-user
	echo 'tester:x:4444:4444::/home/tester:/bin/sh' >>/etc/passwd
	echo 'tester:x:4444:' >>/etc/group
	echo 'tester:2000000:65536' | tee -a /etc/subuid >>/etc/subgid
	install -d -o 4444 -g 4444 /home/tester
}

disable_all
write_logind
write_job_unit
add_user
echo berth-vm >/etc/hostname
exec /lib/systemd/systemd --unit=multi-user.target --log-target=kmsg --log-level=notice \
	--show-status=no --default-standard-output=null --default-standard-error=null
