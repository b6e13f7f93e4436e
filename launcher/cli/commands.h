/* SPDX-License-Identifier: Apache-2.0 */
/* The commands' functions, one file each: cmd-NAME.c; sub-commands of a word share its file. */
#pragma once

#include "command.h"

int dn_cmd_attach (DnCli *cli, char **words);
int dn_cmd_audit (DnCli *cli, char **words);
int dn_cmd_audit_anchor (DnCli *cli, char **words);
int dn_cmd_audit_log (DnCli *cli, char **words);
int dn_cmd_audit_verify_log (DnCli *cli, char **words);
int dn_cmd_context_create (DnCli *cli, char **words);
int dn_cmd_context_size (DnCli *cli, char **words);
int dn_cmd_context_update (DnCli *cli, char **words);
int dn_cmd_context_explain (DnCli *cli, char **words);
int dn_cmd_context_inspect (DnCli *cli, char **words);
int dn_cmd_context_list (DnCli *cli, char **words);
int dn_cmd_context_remove (DnCli *cli, char **words);
int dn_cmd_context_thaw (DnCli *cli, char **words);
int dn_cmd_context_stop (DnCli *cli, char **words);
int dn_cmd_cp (DnCli *cli, char **words);
int dn_cmd_create (DnCli *cli, char **words);
int dn_cmd_doctor (DnCli *cli, char **words);
int dn_cmd_events (DnCli *cli, char **words);
int dn_cmd_exec (DnCli *cli, char **words);
int dn_cmd_gc (DnCli *cli, char **words);
int dn_cmd_help (DnCli *cli, char **words);
int dn_cmd_image_check (DnCli *cli, char **words);
int dn_cmd_image_history (DnCli *cli, char **words);
int dn_cmd_image_inspect (DnCli *cli, char **words);
int dn_cmd_image_prune (DnCli *cli, char **words);
int dn_cmd_image_remove (DnCli *cli, char **words);
int dn_cmd_image_scan (DnCli *cli, char **words);
int dn_cmd_image_verify (DnCli *cli, char **words);
int dn_cmd_images (DnCli *cli, char **words);
int dn_cmd_info (DnCli *cli, char **words);
int dn_cmd_forensics (DnCli *cli, char **words);
int dn_cmd_inspect (DnCli *cli, char **words);
int dn_cmd_kill (DnCli *cli, char **words);
int dn_cmd_load (DnCli *cli, char **words);
int dn_cmd_logs (DnCli *cli, char **words);
int dn_cmd_network_inspect (DnCli *cli, char **words);
int dn_cmd_network_list (DnCli *cli, char **words);
int dn_cmd_pause (DnCli *cli, char **words);
int dn_cmd_port (DnCli *cli, char **words);
int dn_cmd_profile_list (DnCli *cli, char **words);
int dn_cmd_profile_show (DnCli *cli, char **words);
int dn_cmd_ps (DnCli *cli, char **words);
int dn_cmd_pull (DnCli *cli, char **words);
int dn_cmd_rename (DnCli *cli, char **words);
int dn_cmd_restart (DnCli *cli, char **words);
int dn_cmd_rm (DnCli *cli, char **words);
int dn_cmd_run (DnCli *cli, char **words);
int dn_cmd_save (DnCli *cli, char **words);
int dn_cmd_secret_list (DnCli *cli, char **words);
int dn_cmd_secret_update (DnCli *cli, char **words);
int dn_cmd_start (DnCli *cli, char **words);
int dn_cmd_stats (DnCli *cli, char **words);
int dn_cmd_stop (DnCli *cli, char **words);
int dn_cmd_tag (DnCli *cli, char **words);
int dn_cmd_top (DnCli *cli, char **words);
int dn_cmd_verify (DnCli *cli, char **words);
int dn_cmd_unbuilt (DnCli *cli, char **words); /* words of later versions: says so */
int dn_cmd_commit (DnCli *cli, char **words);  /* a word of docker's that there is not: says why */
int dn_cmd_untag (DnCli *cli, char **words);
int dn_cmd_unpause (DnCli *cli, char **words);
int dn_cmd_update (DnCli *cli, char **words);
int dn_cmd_version (DnCli *cli, char **words);
int dn_cmd_volume_create (DnCli *cli, char **words);
int dn_cmd_volume_inspect (DnCli *cli, char **words);
int dn_cmd_volume_list (DnCli *cli, char **words);
int dn_cmd_volume_prune (DnCli *cli, char **words);
int dn_cmd_volume_remove (DnCli *cli, char **words);
int dn_cmd_wait (DnCli *cli, char **words);
