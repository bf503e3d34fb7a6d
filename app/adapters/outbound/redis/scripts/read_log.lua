-- Head and entries at one instant: between two commands a commit could look like a gap. Fields that the reader does not
-- want (ARGV from the third on) stay where they are.
local unwanted = {}
for i = 3, #ARGV do unwanted[ARGV[i]] = true end

local function wanted(fields)
  local kept = {}
  for i = 1, #fields, 2 do
    if not unwanted[fields[i]] then
      kept[#kept + 1] = fields[i]
      kept[#kept + 1] = fields[i + 1]
    end
  end
  return kept
end

local entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
if next(unwanted) then
  for _, entry in ipairs(entries) do entry[2] = wanted(entry[2]) end
end
return {log_head(KEYS[1], KEYS[2]), name_entry(KEYS[2], ARGV[1]), entries}
