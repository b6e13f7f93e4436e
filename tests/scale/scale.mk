# A build tree whose danchid has a simulated hypervisor, behind which real agents run as processes of
# this machine (tests/scale): many guests on little memory.
SCALE := $(B)/scale
SCALE_WRAPS := dn_hypervisor_set_watch dn_hypervisor_check dn_hypervisor_start \
  dn_hypervisor_destroy dn_hypervisor_is_active dn_hypervisor_list \
  dn_hypervisor_list_machines dn_hypervisor_get_versions dn_hypervisor_get_security_model \
  dn_hypervisor_set_cpu dn_hypervisor_set_memory_limit dn_kvm_probe

$(SCALE)/bin/danchid: $(call host_objs,$(DAEMON_SRC) $(COMMON_SRC) $(BASE_SRC) $(PROTOCOL_SRC) \
  tests/scale/hypervisor-sim.c)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) $(call wrap,$(SCALE_WRAPS)) -o $@ $^ \
	  $(call pkg_libs,$(DAEMON_PKGS)) -lacl $(LDLIBS)

# Named so that danchid takes it for QEMU.
$(SCALE)/bin/qemu-system-sim: $(call host_objs,tests/scale/guest-sim.c)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(LDLIBS)

$(SCALE)/build-tree: $(SCALE)/bin/danchid $(SCALE)/bin/qemu-system-sim $(HOST_PROGRAMS) \
  $(B)/guest/bin/danchi-agent $(IMAGES) $(B)/build-tree
	cp $(B)/bin/danchi $(B)/bin/danchi-relay $(B)/guest/bin/danchi-agent $(SCALE)/bin/
	ln -sfn ../images $(SCALE)/images
	cp $(B)/build-tree $@

.PHONY: check-scale
check-scale: all $(SCALE)/build-tree  ## danchid with 1,000 context files and 200 running contexts
	@CELL_LIBVIRT=no $(CELL) ./tests/scale/scale.py

.PHONY: check-secrets
check-secrets: all $(SCALE)/build-tree  ## secrets: that they arrive, and that no process and no file keeps them
	@CELL_LIBVIRT=no $(CELL) ./tests/scale/secret-delivery.py
