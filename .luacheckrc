-- What Redis gives a script (Lua 5.1), and the functions of scripts/*.lua are joined before they are looked at.
std = "lua51"
max_line_length = 120
read_globals = {"KEYS", "ARGV", "redis", "cjson", "cmsgpack", "struct"}
