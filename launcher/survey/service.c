/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <string.h>

#define CONTROL DN_SERVICE_CONTROL
#define DATA DN_SERVICE_DATA

/* The first row that fits counts. */
static const DnService services[] = {
  { "docker API", 2375, 0, NULL, CONTROL, TRUE },
  { "docker API (TLS)", 2376, 0, NULL, CONTROL, FALSE },
  { "docker swarm", 2377, 0, NULL, CONTROL, FALSE },
  /* Anonymous requests and AlwaysAllow are what its command line defaults to. */
  { "kubelet API", 10250, 0, NULL, CONTROL, TRUE },
  { "kubelet read-only API", 10255, 0, NULL, DATA, TRUE },
  { "etcd", 2379, 2380, NULL, CONTROL, TRUE },
  { "etcd", 0, 0, "etcd", CONTROL, TRUE },
  { "kube-apiserver", 6443, 0, NULL, CONTROL, FALSE },
  { "kube-apiserver (insecure port)", 8080, 0, "kube-apiserver", CONTROL, TRUE },
  { "kube-scheduler", 10259, 0, NULL, CONTROL, FALSE },
  { "kube-controller-manager", 10257, 0, NULL, CONTROL, FALSE },
  { "kube-proxy metrics", 10249, 0, NULL, DATA, TRUE },
  { "libvirt (TCP)", 16509, 0, NULL, CONTROL, FALSE },
  { "libvirt (TLS)", 16514, 0, NULL, CONTROL, FALSE },
  { "VNC console", 5900, 5999, "qemu", CONTROL, TRUE },
  { "nomad", 4646, 0, NULL, CONTROL, TRUE },
  { "consul", 8500, 0, NULL, CONTROL, TRUE },
  { "portainer dashboard", 0, 0, "portainer", CONTROL, FALSE },
  { "kubernetes dashboard", 0, 0, "dashboard", CONTROL, FALSE },
  { "cockpit dashboard", 9090, 0, "cockpit", CONTROL, FALSE },
  { "jupyter", 0, 0, "jupyter", CONTROL, FALSE },
  { "traefik dashboard", 8080, 0, "traefik", DATA, TRUE },
  { "grafana dashboard", 0, 0, "grafana", DATA, FALSE },
  { "prometheus", 0, 0, "prometheus", DATA, TRUE },
  { "node exporter", 0, 0, "node_exporter", DATA, TRUE },
  { "node exporter", 0, 0, "prometheus-node", DATA, TRUE },
  { "cadvisor", 0, 0, "cadvisor", DATA, TRUE },
  { "image registry", 5000, 0, "registry", DATA, TRUE },
  { "redis", 6379, 0, NULL, DATA, TRUE },
  { "redis", 0, 0, "redis-server", DATA, TRUE },
  { "memcached", 11211, 0, NULL, DATA, TRUE },
  { "memcached", 0, 0, "memcached", DATA, TRUE },
  { "mongodb", 27017, 0, NULL, DATA, TRUE },
  { "mongodb", 0, 0, "mongod", DATA, TRUE },
  /* Before version 8. */
  { "elasticsearch", 9200, 0, NULL, DATA, TRUE },
  { "elasticsearch", 9300, 0, NULL, DATA, TRUE },
  { "cassandra", 9042, 0, NULL, DATA, TRUE },
  { "zookeeper", 2181, 0, NULL, DATA, TRUE },
  { "kafka", 9092, 0, NULL, DATA, TRUE },
  { "couchdb", 5984, 0, NULL, DATA, FALSE },
  { "postgresql", 5432, 0, NULL, DATA, FALSE },
  { "mysql", 3306, 0, NULL, DATA, FALSE },
  { "nfs", 2049, 0, NULL, DATA, TRUE },
  { "rpcbind", 111, 0, NULL, DATA, TRUE },
  { "rsync", 873, 0, NULL, DATA, TRUE },
  { "ftp", 21, 0, NULL, DATA, FALSE },
  { "smb", 445, 0, NULL, DATA, FALSE },
};

static gboolean
fits (const DnService *service, guint port, const char *process)
{
  guint last = service->port_last != 0 ? service->port_last : service->port;

  if (service->port != 0 && (port < service->port || port > last))
    return FALSE;
  return service->program == NULL
         || (process != NULL && g_str_has_prefix (process, service->program));
}

const DnService *
dn_service_find (guint port, const char *process)
{
  for (gsize i = 0; i < G_N_ELEMENTS (services); i++)
    if (fits (&services[i], port, process))
      return &services[i];
  return NULL;
}

const DnService *
dn_service_find_name (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (services); i++)
    if (g_str_equal (services[i].name, name))
      return &services[i];
  return NULL;
}
