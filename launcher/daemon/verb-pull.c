/* SPDX-License-Identifier: Apache-2.0 */
/* The verb that fetches an image from a registry. */
#include "../common/error.h"
#include "../images/newer.h"
#include "../images/pull.h"
#include "gate.h"
#include "json-build.h"
#include "lookup.h"
#include "verbs.h"

DN_VERB (image_pull)
{
  DnPullPlan plan = { .auth_fd = -1 };
  g_autofree char *reference = NULL;
  const DnJsonField fields[] = {
    { "reference", DN_JSON_STRING, TRUE, &reference },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &plan.allow_emulation },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnImage) image = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || !dn_gate_may_emulate (request, plan.allow_emulation, error))
    return NULL;
  if (request->fds.count > 1)
    {
      dn_throw (error, DN_ERROR_USAGE, "image-pull: at most one descriptor may come along");
      return NULL;
    }
  plan.name = reference;
  if (request->fds.count == 1)
    plan.auth_fd = request->fds.fds[0];
  image = dn_pull_run (request, &plan, error);
  return image != NULL ? dn_verb_answer_image (image) : NULL;
}

DN_VERB (image_check)
{
  g_autofree char *text = NULL;
  const DnJsonField fields[]
      = { { "image", DN_JSON_STRING, TRUE, &text }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnImage) image = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  if (request->fds.count > 1)
    {
      dn_throw (error, DN_ERROR_USAGE, "image-check: at most one descriptor may come along");
      return NULL;
    }
  image = dn_lookup_image (request, text, error);
  return image != NULL ? dn_newer_ask (request, image,
                                       request->fds.count == 1 ? request->fds.fds[0] : -1, error)
                       : NULL;
}
