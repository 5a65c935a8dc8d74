from quard.model import Autotools, Config, Service, Source, User

RECIPE = Autotools(
    summary="Secure shell: server, client and file transfer",
    version="10.3p1",
    sources=[
        Source(
            "openbsd:OpenSSH/portable/openssh-{version}.tar.gz",
            sha256="56682a36bb92dcf4b4f016fd8ec8e74059b79a8de25c15d670d731e7d18e45f4",
            size=2007369,
            provenance="upstream's release announcement",
            mirrors=["debian:pool/main/o/openssh/openssh_{version}.orig.tar.gz"],
        )
    ],
    kernel=["SECCOMP_FILTER"],
    services=[Service("sshd", start=50, script="sshd.init")],
    configs=[
        Config("sshd_config", "etc/ssh/sshd_config"),
        Config("sshd.default", "etc/default/sshd"),
    ],
    provides=["ssh-server"],
    conflicts=["ssh-server"],
    license="SSH-OpenSSH",
    license_files=["LICENCE"],
    homepage="https://www.openssh.com",
    needs=["openssl", "zlib"],
    configure=[
        "--sysconfdir=/etc/ssh",
        "--libexecdir=/usr/libexec",
        "--with-pid-dir=/run",
        "--with-privsep-path=/var/empty",
        "--with-privsep-user=sshd",
        "--with-default-path=/usr/bin:/usr/sbin:/bin:/sbin",
        "--with-superuser-path=/usr/sbin:/usr/bin:/sbin:/bin",
        "--with-sandbox=seccomp_filter",
        # Otherwise it looks for one in old places of the build machine, and keeps what it finds.
        "--with-xauth=/usr/bin/xauth",
        "--without-pam",
        "--without-selinux",
        "--without-libedit",
        "--without-kerberos5",
        "--without-security-key-builtin",
        "--disable-strip",
        "--disable-lastlog",
        "--disable-utmp",
        "--disable-utmpx",
        "--disable-wtmp",
        "--disable-wtmpx",
    ],
    install=["install-nokeys"],
    users=[User("sshd", uid=74, home="/var/empty", gecos="sshd privilege separation")],
    drop=["etc/ssh/sshd_config", "etc/ssh/moduli", "var/empty"],
)
