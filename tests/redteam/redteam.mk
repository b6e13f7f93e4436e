# The red team's probe, its image, and a guest whose agent brings the probe along as guest root.

RED := $(B)/redteam
RED_PROBE := $(RED)/redteam-probe
RED_IMAGE := $(RED)/redteam.tar
# The traitor's parts are the agent's.
RED_OBJS := $(patsubst %.c,$(RED)/obj/%.o,\
  $(filter-out %/hook.c %/attack.c %/spoof.c,$(call sources,tests/redteam)))

# Static and without stack or fortify helpers of the host's: it runs in an image with nothing else.
$(RED)/obj/%.o: %.c $(FLAGS_FILE) | deps
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(PROBE_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

-include $(RED_OBJS:.o=.d)

$(RED_PROBE): $(RED_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(PROBE_CFLAGS) -o $@ $^

$(RED_IMAGE): $(RED_PROBE) tests/redteam/image.sh tests/images/make-image.py
	tests/redteam/image.sh $(RED_PROBE) $@

# A build tree whose guests have a traitor beside the agent (tests/redteam/hook.c): only the red
# team's tests start it.
RED_TREE := $(RED)/tree
RED_HOOK_SRC := $(addprefix tests/redteam/,hook.c attack.c spoof.c guest.c share.c networks.c run.c)
RED_AGENT_OBJS := $(call guest_objs,$(AGENT_SRC) $(PROTOCOL_SRC) $(RED_HOOK_SRC))

$(RED)/danchi-agent: $(RED_AGENT_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -o $@ $^ -ljansson $(LDLIBS)

$(RED_TREE)/images/guest.erofs $(RED_TREE)/images/guest.verity &: $(GUEST_ROOT) $(B)/guest/bin/init $(RED)/danchi-agent
	@mkdir -p $(@D)
	images/guest-root.sh guest $(B)/guest/bin/init $(RED)/danchi-agent - $(@D)/guest.erofs

$(RED_TREE)/build-tree: $(RED_TREE)/images/guest.erofs $(HOST_PROGRAMS) $(IMAGES) $(B)/build-tree
	mkdir -p $(RED_TREE)/bin
	cp $(HOST_PROGRAMS) $(RED_TREE)/bin/
	cp $(COMMON_IMAGES) $(RED_TREE)/images/
	ln -sfn ../../../images/tuned $(RED_TREE)/images/tuned
	cp $(B)/build-tree $@

.PHONY: check-redteam
check-redteam: all $(RED_IMAGE) $(RED_TREE)/build-tree  ## the red team: from containers, and as the guest root (REDTEAM="containers guest")
	@$(CELL) ./tests/redteam/run.py $(REDTEAM)
