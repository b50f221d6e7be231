-- The SIP routing of an edge in Lua, and where it calls the control plane's routes.
-- See kamailio.cfg beside this file.
-- Python has the same function, KSR.cfgutils.route_if_exists(); only Lua is tested.

-- Runs a route block of rpc.cfg, call-profiles.cfg or drain-guard.cfg. True where that returns 1.
-- route_if_exists() returns -1 for "no" and for "no such route".
-- The second is an error, and the log names it.
local function control(name)
  local route = "DISPATCHER_CONTROL_" .. name
  if KSR.cfgutils.check_route_exists(route) < 0 then
    KSR.err("edge.lua: no route[" .. route .. "]: include the file that has it in kamailio.cfg\n")
    return false
  end
  return KSR.cfgutils.route_if_exists(route) > 0
end

-- Without this, default_timeout ends the count of a call but not the call.
local function end_long_calls()
  -- Only a dialog that is made after this line is ended with BYEs.
  KSR.pv.seti("$dlg_ctx(timeout_bye)", 1)
  KSR.dialog.dlg_manage()
  -- A re-INVITE must not start the clock again.
  KSR.dialog.dlg_set_property("timeout-noreset")
end

-- Inside a call nothing asks dispatcher: a drained media server keeps the calls it has.
local function within_call()
  if KSR.rr.loose_route() > 0 then
    KSR.tm.t_relay()
  elseif KSR.is_ACK() then
    if KSR.tm.t_check_trans() > 0 then KSR.tm.t_relay() end
  else
    KSR.sl.sl_send_reply(404, "Not here")
  end
end

local function from_media_server()
  end_long_calls()
  control("COUNT_FROM")
  KSR.tm.t_relay()
end

local function to_media_server()
  -- 4: round robin
  if KSR.dispatcher.ds_select_dst(1, 4) < 0 or not control("SELECT") then
    KSR.sl.send_reply(503, "No destination")
    return
  end
  end_long_calls()
  if not control("COUNT_TO") then
    KSR.sl.send_reply(503, "No destination")
    return
  end
  KSR.tm.t_on_failure("ksr_failure_try_next")
  KSR.tm.t_relay()
end

function ksr_request_route()
  if KSR.maxfwd.process_maxfwd(10) < 0 then
    KSR.sl.sl_send_reply(483, "Too Many Hops")
    return
  end
  if KSR.is_CANCEL() then
    if KSR.tm.t_check_trans() > 0 then KSR.tm.t_relay() end
    return
  end
  if KSR.siputils.has_totag() > 0 then
    within_call()
    return
  end
  if KSR.is_OPTIONS() and KSR.is_myself_ruri() then
    KSR.sl.sl_send_reply(200, "OK")
    return
  end
  if not KSR.is_INVITE() then
    KSR.sl.sl_send_reply(405, "Method Not Allowed")
    return
  end
  -- 0: a retransmission, which tm has answered. A script of kamailio.cfg's own language ends there by itself.
  if KSR.tm.t_check_trans() == 0 then return end
  KSR.rr.record_route()
  if control("FROM_MEDIA_SERVER") then
    from_media_server()
  else
    to_media_server()
  end
end

function ksr_failure_try_next()
  if KSR.tm.t_is_canceled() > 0 then return end
  local silent = KSR.tm.t_branch_timeout() > 0 and KSR.tm.t_branch_replied() < 0
  if KSR.tm.t_check_status("500|503") < 0 and not silent then return end
  control("MARK_DOWN")
  if not control("FAILOVER") or not control("COUNT_TO") then
    KSR.tm.t_reply(503, "No destination")
    return
  end
  KSR.tm.t_on_failure("ksr_failure_try_next")
  KSR.tm.t_relay()
end
