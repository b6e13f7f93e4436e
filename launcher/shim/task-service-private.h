/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of task-service.h, each taking over its call. */
#pragma once

#include "task-service.h"

#define DN_METHOD(name)                                                                            \
  void dn_method_##name (DnPod *pod, DnCall *call, const ProtobufCMessage *message)

/* method-create.c */
DN_METHOD (create);
/* method-start.c */
DN_METHOD (start);
DN_METHOD (exec);
/* method-end.c */
DN_METHOD (kill);
DN_METHOD (delete);
DN_METHOD (shutdown);
/* method-ask.c */
DN_METHOD (state);
DN_METHOD (wait);
DN_METHOD (pids);
DN_METHOD (connect);
DN_METHOD (stats);
/* method-change.c */
DN_METHOD (pause);
DN_METHOD (resume);
DN_METHOD (resize_pty);
DN_METHOD (close_io);
DN_METHOD (update);
DN_METHOD (checkpoint);

/* The container or task of these ids, or NULL after @call has failed. */
DnContainer *dn_method_find_container (DnPod *pod, DnCall *call, const char *id);
DnTask *dn_method_find_task (DnPod *pod, DnCall *call, const char *id, const char *exec_id);

/* The arguments of a verb about a container of danchid's.  (transfer full) */
JsonObject *dn_method_args (const DnContainer *container);
