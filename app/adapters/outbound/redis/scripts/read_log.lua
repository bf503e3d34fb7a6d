-- Head and entries at one instant: between two commands a commit could look like a gap. Fields that the reader does not
-- want (ARGV from the third on) stay where they are.
local unwanted = {}
for i = 3, #ARGV do unwanted[ARGV[i]] = true end
local entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
for _, entry in ipairs(entries) do
  local fields, kept = entry[2], {}
  for i = 1, #fields, 2 do
    if not unwanted[fields[i]] then
      kept[#kept + 1] = fields[i]
      kept[#kept + 1] = fields[i + 1]
    end
  end
  entry[2] = kept
end
return {log_head(KEYS[1], KEYS[2]), name_entry(KEYS[2], ARGV[1]), entries}
