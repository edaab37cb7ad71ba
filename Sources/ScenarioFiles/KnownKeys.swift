/// Every key that the two kinds of files have; the published JSON Schemas are held against these lists.
public enum KnownKeys {
    public static let topology = [
        "$schema", "name", "description", "import", "nodes", "links", "overlay", "slaClasses", "steering",
    ]
    public static let importGraph = ["graphml", "kind", "rate"]
    public static let node = [
        "kind", "asn", "lan", "public", "role", "at", "region", "prefixes", "exec", "bgp", "firewall",
        "wanOptimization", "fec",
        "nat", "models",
    ]
    /// The parts of a node that later versions read.
    static let laterNodeParts = ["firewall", "wanOptimization", "fec", "nat", "models"]
    public static let bgp = [
        "networks", "neighbors", "prefixLists", "communityLists", "routeMaps", "origins", "groups", "listen", "cluster",
        "confederation", "aggregates", "bmp", "maximumPaths", "multipathRelax",
    ]
    /// What a session has of its own, or its group's members have in common.
    static let bgpSession = [
        "asn", "families", "routeMapIn", "routeMapOut", "nextHopSelf", "passive", "password", "ttlSecurity", "timers",
        "gracefulRestart", "longLivedGracefulRestart", "addPath", "maximumPrefixes", "role", "requireRole",
        "advertisementInterval", "bfd", "damping", "requireFirstAS", "extendedNextHop", "accumulatedMetric",
        "routeReflectorClient",
    ]
    public static let bgpNeighbor = ["address", "node", "group", "description"] + bgpSession
    public static let collector = ["address", "port", "bestRoutes", "statistics", "retry"]
    public static let bgpGroup = ["name"] + bgpSession
    public static let bgpListener = ["range", "group", "maximum"]
    public static let confederation = ["identifier", "members"]
    public static let aggregate = ["prefix", "summaryOnly"]
    public static let prefixLimit = ["maximum", "warning", "then", "after"]
    public static let damping = ["halfLife", "suppress", "reuse", "maximumSuppression"]
    public static let bfd = ["interval", "detectMultiplier"]
    public static let bgpTimers = ["holdtime", "connectRetry", "delayOpen", "idleHold", "sendHold"]
    public static let routeMap = ["name", "rules"]
    public static let routeMapRule = ["sequence", "action", "match", "set"]
    public static let routeMapMatch = [
        "prefix", "prefixList", "asPath", "community", "communityList", "originValidity",
    ]
    public static let routeMapSet = ["localPreference", "med", "community", "asPathPrepend", "nextHop"]
    public static let asPathPrepend = ["asn", "count"]
    public static let prefixList = ["name", "entries"]
    public static let prefixListEntry = ["action", "prefix", "atLeast", "atMost"]
    public static let communityList = ["name", "entries"]
    public static let communityListEntry = ["action", "community"]
    public static let origin = ["prefix", "maximumLength", "asn"]
    public static let linkSettings = [
        "rate", "delay", "jitter", "jitterDistribution", "loss", "duplicate", "reorder", "corrupt", "queue",
        "discipline", "mtu", "trace", "costPerGB",
    ]
    public static let link = ["name", "endpoints", "addresses"] + linkSettings + ["reverse"]
    public static let lossModel = ["model", "p", "r", "lossBad", "lossGood"]
    public static let overlay = [
        "tunnels", "encryption", "probeInterval", "detectMultiplier", "failbackDelay", "dataplane",
    ]
    public static let slaClass = ["name", "latency", "jitter", "loss"]
    public static let steeringPolicy = ["name", "match", "sla", "prefer", "priority"]
    public static let steeringMatch = ["application", "source", "destination", "transport", "port"]

    public static let scenario = [
        "$schema", "name", "description", "topology", "seed", "duration", "warmup", "traffic", "events", "expect",
        "record",
    ]
    public static let traffic = [
        "name", "application", "from", "to", "flows", "start", "over", "stop", "user", "bytes", "rate", "packetSize",
        "pcap",
    ]
    public static let event = [
        "at", "label", "link", "set", "over", "down", "up", "for", "flap", "direction", "node", "kill", "restart",
        "after", "bgp", "cloud", "fail", "attack", "from", "to", "rate", "sources",
    ]
    public static let flap = ["up", "down", "for"]
    public static let bgpIncident = ["session", "reset", "node", "announce", "withdraw"]
    public static let bgpTable = ["count", "from", "length"]
    public static let cloudIncident = ["node", "fail"]
    public static let operators = ["below", "atMost", "atLeast", "above", "equals", "between"]
    public static let expectation = ["metric"] + operators
    public static let record = ["pcap", "interval"]
}
