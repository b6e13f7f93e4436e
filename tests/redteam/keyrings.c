/* SPDX-License-Identifier: Apache-2.0 */
/* Keyrings, which are in no namespace of a container's (keyctl-unmask). */
#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static int
control (const DnAim *aim)
{
  return dn_seen (syscall (SYS_keyctl, aim->a, aim->b, aim->c, 0, 0));
}

/* The key goes with the process's own keyring. */
static int
add (const DnAim *aim)
{
  return dn_seen (syscall (SYS_add_key, "user", aim->path, "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static int
request (const DnAim *aim)
{
  return dn_seen (syscall (SYS_request_key, "user", aim->path, NULL, KEY_SPEC_PROCESS_KEYRING));
}

static const DnProbe probes[] = {
  { "keyrings.session",
    "keyctl: the session keyring",
    "R2.3",
    "EPERM",
    NULL,
    control,
    { .a = KEYCTL_GET_KEYRING_ID, .b = KEY_SPEC_SESSION_KEYRING } },
  { "keyrings.user",
    "keyctl: the keyring that all of a uid share",
    "R2.3",
    "EPERM",
    NULL,
    control,
    { .a = KEYCTL_GET_KEYRING_ID, .b = KEY_SPEC_USER_KEYRING } },
  { "keyrings.join",
    "keyctl: a new session keyring (CVE-2016-0728)",
    "R2.3",
    "EPERM",
    NULL,
    control,
    { .a = KEYCTL_JOIN_SESSION_KEYRING } },
  { "keyrings.unmask",
    "keyctl: reading keys by trying numbers (keyctl-unmask)",
    "R2.3",
    "EPERM",
    NULL,
    control,
    { .a = KEYCTL_DESCRIBE, .b = 1 } },
  { "keyrings.dirty",
    "keyctl with a dirty upper half",
    "R2.3",
    "EPERM",
    NULL,
    control,
    { .a = KEYCTL_GET_KEYRING_ID | (1L << 32), .b = KEY_SPEC_SESSION_KEYRING } },
  { "keyrings.add", "add_key", "R2.3", "EPERM", NULL, add, { .path = "redteam" } },
  { "keyrings.request",
    "request_key: an upcall of the kernel",
    "R2.3",
    "EPERM",
    NULL,
    request,
    { .path = "redteam" } },
};

DN_FAMILY (dn_keyrings, probes);
