# SPDX-License-Identifier: Apache-2.0
# Whether a document is what the CNI specification calls a success: section 5, and before version
# 1.0.0 the section "Result".

def address: type == "string" and test("^[0-9a-f.:]+$");
def cidr: type == "string" and test("^[0-9a-f.:]+/[0-9]+$");
def only($names): (keys - $names) == [];
def strings: type == "array" and all(type == "string");

(.cniVersion | IN("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")) as $known |
(.cniVersion | startswith("0.")) as $old |
(.cniVersion == "1.1.0") as $newest |
(.interfaces | length) as $count |
$known and only(["cniVersion", "interfaces", "ips", "routes", "dns"]) and
(.interfaces | length > 0 and all(only(["name", "mac", "sandbox", "mtu"]) and
	(.name | type == "string" and length > 0 and length < 16) and
	(.mac == null or (.mac | test("^([0-9a-f]{2}:){5}[0-9a-f]{2}$"))) and
	(.sandbox == null or (.sandbox | startswith("/"))) and
	(.mtu == null or ($newest and .mtu > 0)))) and
(.ips | all(only(["version", "interface", "address", "gateway"]) and
	(.address | cidr) and (.gateway == null or (.gateway | address)) and
	(.interface | type == "number" and . >= 0 and . < $count) and
	(if $old then .version == (if .address | contains(":") then "6" else "4" end)
		else .version == null end))) and
(.routes | all(only(["dst", "gw"]) and (.dst | cidr) and (.gw == null or (.gw | address)))) and
(.dns | only(["nameservers", "domain", "search", "options"]) and
	all(.nameservers, .search, .options; . == null or strings))
