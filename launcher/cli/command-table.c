/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatch table.  A row without a summary is not in the overview: a word of a later version.
 */
#include "commands.h"

#define UNBUILT(name)                                                                              \
  {                                                                                                \
    name, "", NULL, NULL, dn_cmd_unbuilt, NULL, FALSE                                              \
  }
#define END                                                                                        \
  {                                                                                                \
    NULL, NULL, NULL, NULL, NULL, NULL, FALSE                                                      \
  }

static const DnCommand audit_commands[] = {
  { "log", "[FLAGS] [DIRECTORY]", "Prints the audit record, or that of a copy",
    "danchi audit log --since 1h --decision deny\ndanchi audit log -f --context acme-web\n"
    "danchi audit log --user alice --format json",
    dn_cmd_audit_log, NULL, FALSE },
  { "verify-log", "[FLAGS] [DIRECTORY]",
    "Finds whether the audit record was changed, or a copy of it",
    "danchi audit verify-log\ndanchi audit verify-log --anchor kept-elsewhere ./audit-copy",
    dn_cmd_audit_verify_log, NULL, FALSE },
  { "anchor", "", "Prints the head of the audit record, for keeping elsewhere",
    "danchi audit anchor | ssh vault 'cat >> anchors'", dn_cmd_audit_anchor, NULL, FALSE },
  END,
};

static const DnCommand context_commands[] = {
  { "ls", "[FLAGS]", "Lists contexts, those of files and those made for one container",
    "danchi context ls\ndanchi context ls --format json", dn_cmd_context_list, NULL, FALSE },
  { "create", "[FLAGS] NAME", "Makes a context: a file in contexts.d",
    "danchi context create --tenant acme --stage prod --tier frontend acme-web\n"
    "danchi context create --tenant acme --guest-memory 1g acme-db\n"
    "danchi context create --allow-image 'nginx:*' --image-digest required --idle 10m acme-api",
    dn_cmd_context_create, NULL, FALSE },
  { "explain", "NAME", "Prints what holds for a context, and where each value comes from",
    "danchi context explain acme-web\ndanchi context explain --format json acme-web",
    dn_cmd_context_explain, NULL, FALSE },
  { "size", "[FLAGS] [NAME]",
    "Prints what a guest's size comes to, for containers and for the host",
    "danchi context size acme-web\ndanchi context size --memory 1g --cpus 2\n"
    "danchi context size --container-memory 700m",
    dn_cmd_context_size, NULL, FALSE },
  { "update", "[FLAGS] NAME", "Changes what a context's guest may take of the host",
    "danchi context update --cpu-shares 2048 acme-web\n"
    "danchi context update --memory 300m --write-bps 20m acme-web",
    dn_cmd_context_update, NULL, FALSE },
  { "inspect", "NAME...", "Prints all that is known of contexts and their guests, as JSON",
    "danchi context inspect acme-web", dn_cmd_context_inspect, NULL, FALSE },
  { "stop", "[FLAGS] NAME...", "Ends a context's containers, then its guest",
    "danchi context stop acme-web", dn_cmd_context_stop, NULL, FALSE },
  { "thaw", "NAME...", "Lets frozen contexts go on", "danchi context thaw acme-web",
    dn_cmd_context_thaw, NULL, FALSE },
  { "rm", "[FLAGS] NAME...", "Removes contexts", "danchi context rm -f acme-web",
    dn_cmd_context_remove, NULL, FALSE },
  END,
};

static const DnCommand secret_commands[] = {
  { "ls", "CONTAINER", "Lists a container's secrets and configuration files, without contents",
    "danchi secret ls web", dn_cmd_secret_list, NULL, FALSE },
  { "update", "[FLAGS] CONTAINER NAME=FILE...", "Gives secrets of a running container new contents",
    "danchi secret update web password=new.txt\n"
    "danchi secret update --signal HUP web tls.key=key.pem tls.crt=crt.pem\n"
    "pass show db | danchi secret update web password=-",
    dn_cmd_secret_update, NULL, FALSE },
  END,
};

static const DnCommand network_commands[] = {
  { "ls", "[FLAGS]", "Lists networks: who is in them", "danchi network ls", dn_cmd_network_list,
    NULL, FALSE },
  { "inspect", "NAME...", "Prints all that is known of networks, their contexts and containers",
    "danchi network inspect backend", dn_cmd_network_inspect, NULL, FALSE },
  END,
};

static const DnCommand image_commands[] = {
  { "ls", "[FLAGS]", "Lists the images of the store", "danchi image ls", dn_cmd_images, NULL,
    FALSE },
  { "inspect", "IMAGE...", "Prints all that is known of images, as JSON",
    "danchi image inspect nginx:demo", dn_cmd_image_inspect, NULL, FALSE },
  { "scan", "IMAGE...", "Has the host's scanner look at images, and keeps its verdict",
    "danchi image scan nginx:demo\ndanchi image scan --format json nginx:demo", dn_cmd_image_scan,
    NULL, FALSE },
  { "rm", "[FLAGS] IMAGE...", "Removes names, and images without names",
    "danchi image rm nginx:demo", dn_cmd_image_remove, NULL, FALSE },
  { "check", "[FLAGS] [IMAGE...]", "Asks the registries whether they have newer images",
    "danchi image check\ndanchi image check registry.example.com/acme/web:1", dn_cmd_image_check,
    NULL, FALSE },
  { "history", "[FLAGS] IMAGE", "Lists the steps that made an image, with their layers",
    "danchi image history nginx:demo", dn_cmd_image_history, NULL, FALSE },
  { "verify", "[FLAGS] [IMAGE...]", "Reads all of the store and finds what is damaged",
    "danchi image verify\ndanchi image verify nginx:demo", dn_cmd_image_verify, NULL, FALSE },
  { "prune", "[FLAGS]", "Removes images without names, or all that no container uses",
    "danchi image prune --dry-run\ndanchi image prune -a --filter until=30d", dn_cmd_image_prune,
    NULL, FALSE },
  { "tag", "IMAGE NAME", "Gives an image one more name", "danchi image tag nginx:demo nginx:live",
    dn_cmd_tag, NULL, FALSE },
  { "untag", "NAME...", "Takes names away; the images stay", "danchi image untag nginx:live",
    dn_cmd_untag, NULL, FALSE },
  { "load", "[FLAGS]", "Loads an image from an archive", "danchi image load -i nginx.tar",
    dn_cmd_load, NULL, FALSE },
  { "save", "[FLAGS] IMAGE...", "Writes images as an archive",
    "danchi image save -o nginx.tar nginx:demo", dn_cmd_save, NULL, FALSE },
  END,
};

static const DnCommand profile_commands[] = {
  { "ls", "[FLAGS]", "Lists the profiles of this host", "danchi profile ls", dn_cmd_profile_list,
    NULL, FALSE },
  { "show", "NAME", "Prints a profile's file", "danchi profile show standard > mine.conf",
    dn_cmd_profile_show, NULL, FALSE },
  END,
};

static const DnCommand volume_commands[] = {
  { "ls", "[FLAGS]", "Lists volumes", "danchi volume ls\ndanchi volume ls --format json",
    dn_cmd_volume_list, NULL, FALSE },
  { "create", "[FLAGS] [NAME]", "Makes a volume",
    "danchi volume create --size 10g --tenant acme acme-db\n"
    "danchi volume create --encrypt notes",
    dn_cmd_volume_create, NULL, FALSE },
  { "inspect", "VOLUME...", "Prints all that is known of volumes, as JSON",
    "danchi volume inspect acme-db", dn_cmd_volume_inspect, NULL, FALSE },
  { "rm", "[FLAGS] VOLUME...", "Removes volumes, with what is on them", "danchi volume rm acme-db",
    dn_cmd_volume_remove, NULL, FALSE },
  { "prune", "[FLAGS]", "Removes volumes that no container names: those without a name, or all",
    "danchi volume prune --dry-run\ndanchi volume prune -a", dn_cmd_volume_prune, NULL, FALSE },
  END,
};

const DnCommand dn_commands[] = {
  { "run", "[FLAGS] IMAGE [COMMAND...]", "Creates a container, starts it and attaches to it",
    "danchi run --rm -it nginx:demo sh\n"
    "danchi run -d --name web --context acme-web nginx:demo\n"
    "tar c . | danchi run --rm -i tools:1 tar t",
    dn_cmd_run, NULL, TRUE },
  { "create", "[FLAGS] IMAGE [COMMAND...]", "Creates a container without starting it",
    "danchi create --name web -m 256m nginx:demo", dn_cmd_create, NULL, FALSE },
  { "start", "[FLAGS] CONTAINER...", "Starts containers",
    "danchi start web\ndanchi start -ai shell", dn_cmd_start, NULL, FALSE },
  { "exec", "[FLAGS] CONTAINER COMMAND...", "Runs one more process in a container",
    "danchi exec -it web sh\ndanchi exec web nginx -t", dn_cmd_exec, NULL, TRUE },
  { "attach", "[FLAGS] CONTAINER", "Attaches to a container's first process",
    "danchi attach web\ndanchi attach --detach-keys ctrl-x web", dn_cmd_attach, NULL, TRUE },
  { "ps", "[FLAGS]", "Lists containers",
    "danchi ps -a\ndanchi ps -q --filter tenant=acme\ndanchi ps --format json", dn_cmd_ps, NULL,
    FALSE },
  { "inspect", "[FLAGS] NAME...",
    "Prints all that is known of containers, contexts or images, as JSON", "danchi inspect web",
    dn_cmd_inspect, NULL, FALSE },
  { "logs", "[FLAGS] CONTAINER", "Prints what a container wrote",
    "danchi logs -f --tail 20 web\ndanchi logs --since 10m -t web", dn_cmd_logs, NULL, FALSE },
  { "stop", "[FLAGS] CONTAINER...", "Asks containers to end, then kills them",
    "danchi stop web\ndanchi stop -t 1 web db", dn_cmd_stop, NULL, FALSE },
  { "kill", "[FLAGS] CONTAINER...", "Sends a signal to containers",
    "danchi kill web\ndanchi kill -s HUP web", dn_cmd_kill, NULL, FALSE },
  { "wait", "CONTAINER...", "Waits for containers to end and prints their exit statuses",
    "danchi wait web", dn_cmd_wait, NULL, FALSE },
  { "rm", "[FLAGS] CONTAINER...", "Removes containers",
    "danchi rm web\ndanchi rm -f $(danchi ps -aq)", dn_cmd_rm, NULL, FALSE },
  { "pause", "CONTAINER...", "Lets containers stand still", "danchi pause web", dn_cmd_pause, NULL,
    FALSE },
  { "unpause", "CONTAINER...", "Lets containers go on", "danchi unpause web", dn_cmd_unpause, NULL,
    FALSE },
  { "restart", "[FLAGS] CONTAINER...", "Stops and starts containers", "danchi restart web",
    dn_cmd_restart, NULL, FALSE },
  { "rename", "CONTAINER NAME", "Gives a container another name", "danchi rename web web-old",
    dn_cmd_rename, NULL, FALSE },
  { "update", "[FLAGS] CONTAINER...", "Changes limits and restart policies of containers",
    "danchi update -m 512m --pids-limit 200 web\ndanchi update --restart unless-stopped web",
    dn_cmd_update, NULL, FALSE },
  { "stats", "[FLAGS] [CONTAINER...]", "Shows what containers use",
    "danchi stats\ndanchi stats --no-stream web", dn_cmd_stats, NULL, FALSE },
  { "port", "CONTAINER [PORT[/tcp|udp]]", "Shows where a container's ports are published",
    "danchi port web\ndanchi port web 80", dn_cmd_port, NULL, FALSE },
  { "top", "CONTAINER", "Lists the processes of a container", "danchi top web", dn_cmd_top, NULL,
    FALSE },
  { "cp", "[FLAGS] SOURCE DESTINATION",
    "Copies files in or out of a container; one of the two is CONTAINER:PATH",
    "danchi cp web:/var/log/nginx ./logs\ndanchi cp index.html web:/tmp/", dn_cmd_cp, NULL, FALSE },
  { "events", "[FLAGS]", "Shows what happens to containers, contexts and images",
    "danchi events\ndanchi events --since 10m", dn_cmd_events, NULL, FALSE },
  { "verify", "[FLAGS] [CONTAINER|CONTEXT...]",
    "Compares what was promised with what the kernels report",
    "danchi verify\ndanchi verify --quiet web", dn_cmd_verify, NULL, FALSE },
  { "audit", "[FLAGS]", "Shows this host and its contexts as an auditor sees them, with findings",
    "danchi audit\ndanchi audit --format html -o audit.html\ndanchi audit --fail-on medium",
    dn_cmd_audit, audit_commands, FALSE },
  { "secret", "COMMAND", "Secrets of containers: ls, update", NULL, NULL, secret_commands, FALSE },
  { "context", "COMMAND",
    "Security contexts: ls, create, explain, inspect, size, update, stop, thaw, rm", NULL, NULL,
    context_commands, FALSE },
  { "network", "COMMAND", "Networks: ls, inspect", NULL, NULL, network_commands, FALSE },
  { "forensics", "[FLAGS] CONTEXT", "Saves a context's traces, with a manifest of their digests",
    "danchi forensics -o /srv/evidence/acme-web acme-web\n"
    "danchi forensics --memory --freeze -o /srv/evidence/acme-web acme-web",
    dn_cmd_forensics, NULL, FALSE },
  { "pull", "[FLAGS] REGISTRY/NAME[:TAG|@DIGEST]...", "Fetches images from registries",
    "danchi pull docker.io/library/redis:7\n"
    "danchi pull registry.example.com/acme/web@sha256:0123...",
    dn_cmd_pull, NULL, FALSE },
  { "load", "[FLAGS]", "Loads an image from an archive",
    "danchi load -i nginx.tar\ndanchi load -i nginx.tar --checksum nginx.tar.sha256 --signature "
    "nginx.tar.sha256.asc\nskopeo copy docker://redis:7 docker-archive:/dev/stdout | danchi "
    "load",
    dn_cmd_load, NULL, FALSE },
  { "save", "[FLAGS] IMAGE...", "Writes images as an archive",
    "danchi save -o nginx.tar nginx:demo\ndanchi save --format oci nginx:demo | ssh other danchi "
    "load",
    dn_cmd_save, NULL, FALSE },
  { "tag", "IMAGE NAME", "Gives an image one more name", "danchi tag nginx:demo nginx:live",
    dn_cmd_tag, NULL, FALSE },
  { "untag", "NAME...", "Takes names away; the images stay", "danchi untag nginx:live",
    dn_cmd_untag, NULL, FALSE },
  { "images", "[FLAGS]", "Lists the images of the store",
    "danchi images\ndanchi images --filter dangling=true -q", dn_cmd_images, NULL, FALSE },
  { "rmi", "[FLAGS] IMAGE...", "Removes names, and images without names", "danchi rmi nginx:demo",
    dn_cmd_image_remove, NULL, FALSE },
  { "image", "COMMAND",
    "Images: ls, inspect, check, history, verify, scan, rm, prune, tag, untag, load, save", NULL,
    NULL, image_commands, FALSE },
  { "volume", "COMMAND", "Volumes: ls, create, inspect, rm, prune", NULL, NULL, volume_commands,
    FALSE },
  { "profile", "COMMAND", "Confinement profiles: ls, show", NULL, NULL, profile_commands, FALSE },
  { "doctor", "", "Says what this host can and cannot do, and the remedies", "danchi doctor",
    dn_cmd_doctor, NULL, FALSE },
  { "info", "", "Prints facts of this host", "danchi info", dn_cmd_info, NULL, FALSE },
  { "version", "", "Prints the versions of danchi and danchid", "danchi version", dn_cmd_version,
    NULL, FALSE },
  { "gc", "", "Removes what crashes left behind", "danchi gc", dn_cmd_gc, NULL, FALSE },
  { "help", "[COMMAND]", "Prints the page of a command", "danchi help run", dn_cmd_help, NULL,
    FALSE },
  { "commit", "", NULL, NULL, dn_cmd_commit, NULL, FALSE },
  UNBUILT ("build"),
  UNBUILT ("push"),
  END,
};

const DnCommand *
dn_command_find (const DnCommand *commands, const char *name)
{
  for (; commands->name != NULL; commands++)
    if (g_str_equal (commands->name, name))
      return commands;
  return NULL;
}
