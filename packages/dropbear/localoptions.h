/* Keys only: the image has no crypt(3), and no password should be asked for over the network. */
#define DROPBEAR_SVR_PASSWORD_AUTH 0
#define DROPBEAR_SVR_PUBKEY_AUTH 1

/* Host keys are made where openssh keeps its own, so that a board may change the server. */
#define DSS_PRIV_FILENAME "/etc/dropbear/dropbear_dss_host_key"
#define RSA_PRIV_FILENAME "/etc/dropbear/dropbear_rsa_host_key"
#define ECDSA_PRIV_FILENAME "/etc/dropbear/dropbear_ecdsa_host_key"
#define ED25519_PRIV_FILENAME "/etc/dropbear/dropbear_ed25519_host_key"
#define DROPBEAR_PIDFILE "/run/dropbear.pid"

/* Connections that have not logged in yet. Behind QEMU's user network, or behind any router that
   translates addresses, all clients share one address, so one address may have as many as all. */
#define MAX_UNAUTH_CLIENTS 64
#define MAX_UNAUTH_PER_IP 64
