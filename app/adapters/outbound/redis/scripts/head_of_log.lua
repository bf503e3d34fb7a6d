-- False where there is neither a log nor a plan.
local found = log_head(KEYS[1], KEYS[2])
return (found[1] ~= '0' or redis.call('EXISTS', KEYS[3]) == 1) and found
