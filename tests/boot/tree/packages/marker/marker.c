/* Offers test.Marker at the session's bus. Its code for the bus comes from gdbus-codegen. */
#include "bus.h"

static gboolean mark(TestMarker *marker, GDBusMethodInvocation *call, const char *text)
{
    g_autoptr(GRegex) numbers = g_regex_new("[0-9]+", 0, 0, NULL);
    g_autofree char *marked = g_regex_replace(numbers, text, -1, 0, "<\\0>", 0, NULL);
    test_marker_complete_mark(marker, call, marked);
    return TRUE;
}

static void connected(GDBusConnection *bus, const char *name, void *marker)
{
    g_autoptr(GError) error = NULL;
    if (!g_dbus_interface_skeleton_export(marker, bus, "/", &error))
        g_error("%s: %s", name, error->message);
}

int main(void)
{
    TestMarker *marker = test_marker_skeleton_new();
    g_signal_connect(marker, "handle-mark", G_CALLBACK(mark), NULL);
    g_bus_own_name(G_BUS_TYPE_SESSION, "test.Marker", 0, connected, NULL, NULL, marker, NULL);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
}
