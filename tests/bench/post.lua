-- wrk: POSTs of events, each with its own event_id and one of 10,000 users. BATCH events a request as NDJSON.
-- Prints one line of JSON at the end. 324 bytes an event, as in the comparisons of docs/benchmarks.md.
local batch = tonumber(os.getenv("BATCH") or "1")
local threads = 0
local events = 0
local prefix

function setup(thread)
    thread:set("id", threads)
    threads = threads + 1
end

local tail = '","event_data":{"order_id":"ord_20260102_8471","amount":1499.5,"currency":"INR","items":3,' ..
    '"coupon":"NEWYEAR","channel":"app","plan":"gold","note":"' .. string.rep("x", 82) .. '"}}'

function init(_)
    prefix = string.format("%x-%d-", os.time(), id)
    wrk.method = "POST"
    wrk.path = os.getenv("POST_PATH") or "/v1/events"
    wrk.headers["Content-Type"] = batch == 1 and "application/json" or "application/x-ndjson"
end

local function event()
    events = events + 1
    return '{"event_name":"order_paid","event_id":"' .. prefix .. string.format("%08d", events) ..
        '","user_id":"user-' .. events % 10000 .. tail
end

function request()
    if batch == 1 then
        return wrk.format(nil, nil, nil, event())
    end
    local lines = {}
    for i = 1, batch do
        lines[i] = event()
    end
    return wrk.format(nil, nil, nil, table.concat(lines, "\n"))
end

function done(summary, latency, _)
    io.write(string.format(
        '\n{"requests":%d,"seconds":%.3f,"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"max_ms":%.2f,"bad":%d,"errors":%d}\n',
        summary.requests, summary.duration / 1e6, summary.requests * batch / (summary.duration / 1e6),
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
