/* SPDX-License-Identifier: Apache-2.0 */
/* One error domain, with codes a caller can act on.
 *
 * The message is what the user reads: "what: why", naming the thing in quotes.  A hint, the next
 * step to take, may follow after a newline; the CLI prints it on a line of its own.
 *
 * Use:  return dn_throw (error, DN_ERROR_CONFIG, "image '%s': not in the store", name);
 */
#pragma once

#include <glib.h>

#define DN_ERROR (dn_error_quark ())

typedef enum
{
  DN_ERROR_USAGE,      /* the caller's words are off; nothing was done */
  DN_ERROR_CONFIG,     /* a file or a value in it is wrong; nothing was started */
  DN_ERROR_NOT_FOUND,  /* no such container, context, image */
  DN_ERROR_CONFLICT,   /* the thing exists already, or is in a state that forbids this */
  DN_ERROR_DENIED,     /* the caller may not, or policy says no */
  DN_ERROR_LIMIT,      /* a limit of this host, context or request is reached */
  DN_ERROR_PROTOCOL,   /* the peer broke the contract; its connection is closed */
  DN_ERROR_HYPERVISOR, /* libvirt or QEMU refused; the message carries its words */
  DN_ERROR_GUEST,      /* the guest or its agent failed, or did not answer in time */
  DN_ERROR_CANNOT_RUN, /* the container's command exists but cannot be executed: exit status 126 */
  DN_ERROR_NO_COMMAND, /* the container's command does not exist: exit status 127 */
  DN_ERROR_LOCKDOWN,   /* a privilege step failed; the process must end */
  DN_ERROR_FAILED,     /* the system refused something; the message carries errno's words */
} DnError;

GQuark dn_error_quark (void);

/* The name that travels in API answers ("not-found"), and back; an unknown name is FAILED. */
const char *dn_error_code_to_name (DnError code);
DnError dn_error_code_from_name (const char *name);

/* Sets @error and returns FALSE, so that a failure is one line. */
gboolean dn_throw (GError **error, DnError code, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Likewise, with ": " and errno's words at the end; DN_ERROR_FAILED. */
gboolean dn_throw_errno (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
