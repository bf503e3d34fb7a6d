-- Head and entries at one instant: between two commands a commit could look like a gap. ARGV: the id behind which, the
-- most entries, at how many bytes it is enough, and the fields that the reader wants. The entries' ids and these fields
-- are joined: their sizes, 4 bytes each (0: no such field), and they themselves, in one order.
local SOME = 20
local log, last, most, enough = KEYS[2], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local layout = '<' .. string.rep('I4', #ARGV - 2)
local sizes, values, read, bytes = {}, {}, 0, 0

local function add(entry)
  local fields, lengths = by_name(entry[2]), {}
  for i = 3, #ARGV do
    local value = i == 3 and entry[1] or fields[ARGV[i]] or ''
    lengths[i - 2] = #value
    values[#values + 1] = value
    bytes = bytes + #value
  end
  sizes[#sizes + 1] = struct.pack(layout, unpack(lengths))
end

while read < most and bytes < enough do
  local some = redis.call('XRANGE', log, '(' .. last, '+', 'COUNT', math.min(SOME, most - read))
  if #some == 0 then break end
  for _, entry in ipairs(some) do add(entry) end
  read, last = read + #some, some[#some][1]
end
return {log_head(KEYS[1], log), name_entry(log, ARGV[1]), table.concat(sizes), table.concat(values)}
