from quard.model import Meson, Permission, Service, Source, User

RECIPE = Meson(
    summary="Messages between programs, and the bus that passes them on",
    version="1.16.2",
    sources=[
        Source(
            "https://dbus.freedesktop.org/releases/dbus/dbus-{version}.tar.xz",
            sha256="0ba2a1a4b16afe7bceb2c07e9ce99a8c2c3508e5dec290dbb643384bd6beb7e2",
            size=1115644,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/d/dbus/dbus_{version}.orig.tar.xz"],
        )
    ],
    license="AFL-2.1 OR GPL-2.0-or-later",
    license_files=["COPYING"],
    homepage="https://www.freedesktop.org/wiki/Software/dbus/",
    needs=["expat"],
    configure=[
        "-Ddbus_user=messagebus",
        "-Depoll=enabled",
        "-Dinotify=enabled",
        "-Dinstalled_tests=false",
        "-Druntime_dir=/run",
        "-Dsession_socket_dir=/tmp",
        "-Dsystem_pid_file=/run/dbus/pid",
        "-Dsystem_socket=/run/dbus/system_bus_socket",
        "-Dxml_docs=disabled",
    ],
    users=[User("messagebus", uid=81, home="/var/empty", gecos="D-Bus")],
    permissions=[
        Permission("/usr/libexec/dbus-daemon-launch-helper", mode="4750", group="messagebus"),
    ],
    kernel=["EPOLL", "INOTIFY_USER", "UNIX"],
    services=[Service("dbus", start=30, script="dbus.init")],
    # /run is empty at each start: the service makes its folder there.
    drop=["run", "usr/bin/dbus-test-tool", "usr/share/doc", "usr/share/xml"],
)
