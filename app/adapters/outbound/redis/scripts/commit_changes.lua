local fence, head, log, plans, known, summaries = unpack(KEYS)
if redis.call('GET', fence) ~= ARGV[1] then return 0 end
local at_head = redis.call('HMGET', head, 'epoch', 'sequence')
local epoch, sequence = at_head[1], tonumber(at_head[2] or 0)
if not epoch then
  epoch = ARGV[2]
  redis.call('DEL', log)
  redis.call('HSET', head, 'epoch', epoch)
end
for i = 5, #ARGV, 5 do
  local id, searchable, plan = ARGV[i], ARGV[i + 3], ARGV[i + 4]
  local entry = {'id', id, 'kinds', ARGV[i + 1], 'run', ARGV[3], 'at', ARGV[4], 'known', ARGV[i + 2]}
  sequence = sequence + 1
  if searchable ~= '' then
    redis.call('HSET', summaries, id, searchable)
    table.insert(entry, 'searchable')
    table.insert(entry, searchable)
  end
  if plan ~= '' then
    redis.call('HSET', plans, id, plan)
    table.insert(entry, 'plan')
    table.insert(entry, plan)
  end
  redis.call('HSET', known, id, ARGV[i + 2])
  local number = string.format('%.0f', sequence)
  redis.call('XADD', log, epoch .. '-' .. number, unpack(entry))
  redis.call('HSET', head, 'sequence', number)
end
return 1
