-- Where a log ends, and the names of its entries.

-- The name of the entry with this id; empty when it is not there. It follows from what an entry has always had, so
-- older logs have names too. The place is in it, because a run that goes on after a failover may write the same plan
-- to another place.
local function name_entry(log, id)
  local entry = redis.call('XRANGE', log, id, id)[1]
  if not entry then return '' end
  local fields = by_name(entry[2])
  return string.sub(redis.sha1hex(id .. ' ' .. (fields.run or '') .. ' ' .. (fields.id or '')), 1, 16)
end

local function log_head(head, log)
  local found = redis.call('HMGET', head, 'epoch', 'sequence')
  local epoch, sequence = found[1] or '0', found[2] or '0'
  return {epoch, sequence, name_entry(log, epoch .. '-' .. sequence)}
end
