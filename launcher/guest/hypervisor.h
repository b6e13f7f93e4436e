/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt: with hypervisor-connection.c the only file that calls it.
 *
 * One connection for the whole process, made at the first call and again when it broke; its events
 * run on a thread of their own.  Every call runs on a worker thread with a deadline: a libvirtd
 * that hangs holds up its caller until then and nobody else.  What is started after its caller
 * gave up is destroyed again by the worker.
 *
 * Domains outlive the connection and libvirtd: QEMU is not libvirtd's child.  While libvirtd is
 * away every call fails with one clear error, and guests go on.
 *
 * Errors: DN_ERROR_HYPERVISOR with libvirt's words, made one line and capped; libvirt keeps its
 * errors by thread and prints them by default, so they are copied at once and an empty handler is
 * installed.
 * Threads: callable from any; never from the watch functions.
 * Privilege: access to libvirt's read-write socket.
 * Source: libvirt.org/html/libvirt-libvirt-domain.html; URI: $LIBVIRT_DEFAULT_URI or
 * qemu:///system.
 */
#pragma once

#include <glib.h>

#define DN_HYPERVISOR_TIMEOUT_MS 15000

/* The words for an end by the guest's own doing: a power-off, or the reset of a panic, which
 * libvirt does not tell apart. */
extern const char dn_hypervisor_switched_off[];

typedef struct
{
  /* A domain ended; @reason is words.  On the event thread: do not block. */
  void (*ended) (const char *name, const char *reason);
  /* The connection was made anew: events may have been missed.  On a thread of its own. */
  void (*reconnected) (void);
} DnHypervisorWatch;

/* Once, before the first other call. @watch stays the caller's. */
void dn_hypervisor_set_watch (const DnHypervisorWatch *watch);

/* The URI in use. (transfer none) */
const char *dn_hypervisor_uri (void);

/* Connects if need be.  FALSE with one clear error when libvirt cannot be reached. */
gboolean dn_hypervisor_check (guint timeout_ms, GError **error);

/**
 * dn_hypervisor_start:
 * @xml: validated against libvirt's schema: a misspelt element must not pass in silence
 * @ret_uuid: (out): (transfer full)
 *
 * Starts a transient domain, running.
 */
gboolean dn_hypervisor_start (const char *xml, guint timeout_ms, char **ret_uuid, GError **error);

/* At once; a domain that is not there is no error. */
gboolean dn_hypervisor_destroy (const char *name, guint timeout_ms, GError **error);

/* @ret_uuid: (out) (optional): NULL when it is not active */
gboolean dn_hypervisor_is_active (const char *name, gboolean *ret_is_active, char **ret_uuid,
                                  GError **error);

gboolean dn_hypervisor_attach (const char *name, const char *device_xml, GError **error);
/* Asks the guest to let go; it may take its time, or never do. */
gboolean dn_hypervisor_detach (const char *name, const char *device_xml, GError **error);
/* Whether a live domain has a disk with this serial number. */
gboolean dn_hypervisor_has_disk (const char *name, const char *serial, gboolean *ret_has,
                                 GError **error);

/* Stops and continues all virtual processors; one that stands, or runs, already is no error. */
gboolean dn_hypervisor_suspend (const char *name, GError **error);
gboolean dn_hypervisor_resume (const char *name, GError **error);

/* The live domain's XML. (transfer full) */
char *dn_hypervisor_get_xml (const char *name, GError **error);

/* The memory of the domain as an ELF core in the file @path, which libvirt makes as root. */
gboolean dn_hypervisor_dump_memory (const char *name, const char *path, guint timeout_ms,
                                    GError **error);

/* The first security model of the host ("selinux", "apparmor", "none"). (transfer full) */
char *dn_hypervisor_get_security_model (GError **error);

/* Active domains whose name begins with @prefix and whose metadata element at @uri has @owner in
 * its `owner` attribute. (transfer full) (element-type utf8) */
GPtrArray *dn_hypervisor_list (const char *prefix, const char *uri, const char *owner,
                               GError **error);

/* An active domain, whoever's it is. */
typedef struct
{
  char *name;       /* owned; made one line by dn_hypervisor_flatten() */
  char *uuid;       /* owned, or NULL */
  char *hypervisor; /* owned; libvirt's word for the driver: "qemu" */
  gint pid;         /* where libvirt's own file tells, else 0; may be another's by now */
  gboolean is_ours; /* its metadata names @owner */
} DnHypervisorMachine;

void dn_hypervisor_machine_free (DnHypervisorMachine *machine);

/* All active domains of this connection, ours by metadata as in dn_hypervisor_list().  At most
 * %DN_HYPERVISOR_MACHINES_MAX of them.  (transfer full) (element-type DnHypervisorMachine) */
#define DN_HYPERVISOR_MACHINES_MAX 4096
GPtrArray *dn_hypervisor_list_machines (const char *uri, const char *owner, guint timeout_ms,
                                        GError **error);

/* Versions of libvirt and of the default hypervisor, as major * 1000000 + minor * 1000 + release.
 */
gboolean dn_hypervisor_get_versions (guint timeout_ms, gulong *ret_libvirt, gulong *ret_qemu,
                                     GError **error);

/* Foreign text on one line: control characters and runs of blanks become one blank, and at most
 * 600 bytes of it are kept. (transfer full).  Pure. */
char *dn_hypervisor_flatten (const char *text);
