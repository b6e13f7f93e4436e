/* SPDX-License-Identifier: Apache-2.0 */
/* Between the table of rules (finding.c) and the looks at the document (finding-*.c). */
#pragma once

#include "finding.h"

typedef struct DnFindingLook DnFindingLook;

/* Adds what it finds with dn_finding_add(). */
typedef void (*DnFindingFunc) (DnFindingLook *look);

struct DnFindingRule
{
  DnFindingFacts facts;
  DnFindingFunc find;
  const char *argument; /* for rules that share a function */
};

/* One rule at work on one document. */
struct DnFindingLook
{
  const DnFindingRule *rule;
  JsonObject *document;
  const DnFindingLimits *limits;
  JsonArray *findings;
};

/* @subject: what it is about, in a few words; @context: a context's name, or NULL */
void dn_finding_add (DnFindingLook *look, const char *subject, const char *context,
                     const char *format, ...) G_GNUC_PRINTF (4, 5);

/* A member of @object that is there and not null. */
gboolean dn_finding_is_known (JsonObject *object, const char *name);

/* "host", and the part @name of it; NULL where there is none. */
JsonObject *dn_finding_host (const DnFindingLook *look, const char *name);

/* Whether the host has AppArmor or SELinux, and it enforces. */
gboolean dn_finding_has_lsm (const DnFindingLook *look);

/* finding-host.c */
void dn_find_end_of_life (DnFindingLook *look);
void dn_find_end_of_life_soon (DnFindingLook *look);
void dn_find_end_of_life_unknown (DnFindingLook *look);
void dn_find_flaws (DnFindingLook *look);
void dn_find_flaws_local (DnFindingLook *look);
void dn_find_flaws_smt (DnFindingLook *look);
void dn_find_flaws_unknown (DnFindingLook *look);
void dn_find_smt (DnFindingLook *look);
void dn_find_ksm (DnFindingLook *look);
void dn_find_swap_plain (DnFindingLook *look);
void dn_find_swap_unknown (DnFindingLook *look);
void dn_find_lsm_off (DnFindingLook *look);
void dn_find_lsm_absent (DnFindingLook *look);
void dn_find_danchid_unconfined (DnFindingLook *look);
void dn_find_record_changed (DnFindingLook *look);
void dn_find_record_unknown (DnFindingLook *look);

/* finding-libvirt.c */
void dn_find_libvirt_unknown (DnFindingLook *look);
void dn_find_driver_off (DnFindingLook *look);
void dn_find_setting_zero (DnFindingLook *look); /* argument: the key */
void dn_find_user_root (DnFindingLook *look);
void dn_find_display (DnFindingLook *look);
void dn_find_tcp (DnFindingLook *look);
void dn_find_tcp_open (DnFindingLook *look);

/* finding-exposure.c */
void dn_find_machine_foreign (DnFindingLook *look);
void dn_find_machine_unmanaged (DnFindingLook *look);
void dn_find_machine_root (DnFindingLook *look);
void dn_find_runtime_container (DnFindingLook *look);
void dn_find_runtime_manager (DnFindingLook *look);
void dn_find_runtime_namespace (DnFindingLook *look);
void dn_find_runtime_socket (DnFindingLook *look);
void dn_find_runtime_socket_open (DnFindingLook *look);
void dn_find_control_open (DnFindingLook *look);
void dn_find_control_local (DnFindingLook *look);
void dn_find_control_exposed (DnFindingLook *look);
void dn_find_data_open (DnFindingLook *look);
void dn_find_data_local (DnFindingLook *look);
void dn_find_listener_exposed (DnFindingLook *look);

/* finding-chain.c */
void dn_find_chain_shared_uid (DnFindingLook *look);
void dn_find_chain_root (DnFindingLook *look);
void dn_find_chain_filter (DnFindingLook *look);
void dn_find_chain_capabilities (DnFindingLook *look);
void dn_find_chain_label (DnFindingLook *look);

/* finding-context.c */
void dn_find_context_shared_kernel (DnFindingLook *look);
void dn_find_context_error (DnFindingLook *look);
void dn_find_context_emulated (DnFindingLook *look);
void dn_find_context_root_only (DnFindingLook *look);

/* finding-limits.c */
void dn_find_context_unenforced (DnFindingLook *look);
void dn_find_context_unlimited (DnFindingLook *look);
void dn_find_container_unlimited (DnFindingLook *look);

/* finding-container.c */
typedef void (*DnFindingEachFunc) (DnFindingLook *look, JsonObject *container, const char *context);
void dn_finding_each_container (DnFindingLook *look, DnFindingEachFunc func);
void dn_find_container_relaxed (DnFindingLook *look);
void dn_find_container_capability (DnFindingLook *look);
void dn_find_container_capability_added (DnFindingLook *look);
void dn_find_container_capability_strong (DnFindingLook *look);
void dn_find_container_listener (DnFindingLook *look);
void dn_find_container_listeners_unknown (DnFindingLook *look);
void dn_find_image_damaged (DnFindingLook *look);
void dn_find_image_old (DnFindingLook *look);
void dn_find_image_stale (DnFindingLook *look);
void dn_find_image_age_unknown (DnFindingLook *look);
void dn_find_image_digest (DnFindingLook *look);
void dn_find_image_vulnerable (DnFindingLook *look);
void dn_find_image_unscanned (DnFindingLook *look);
void dn_find_image_unsigned (DnFindingLook *look);
void dn_find_image_policy (DnFindingLook *look);

/* finding-port.c */
void dn_find_port (DnFindingLook *look); /* argument: everywhere, network or low */
