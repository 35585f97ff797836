/** How it was measured, for docs/benchmarks.md. */
export const METHOD = `Each group runs in interleaved rounds, A B C A B C ..., after a warm-up of every row. A row is
the median of its rounds, with the lowest and highest and the median absolute deviation; a ratio is the median of the
quotients within each round. The server's CPU is that of its whole process (/proc/PID/stat) over the inner part of
each window, "CPU each" that of one call or token; "waited" is how long its main thread was ready to run while other
programs had the processor (schedstat). **Only rows whose server used at least 95 % of a processor count**: below that
the load, the disk or the machine was measured, and ratios leave them out. Rows that say "one at a time" or "1
concurrent" are not about rates: they tell what a call takes, and always count.

Capacity is found in a closed loop, a call following the answer to another. Latency is taken in an open loop: calls
are due at evenly spaced instants and are timed from these, however late they could be sent, so that a server that
stalls is charged for everybody who waited. Percentiles are of all calls of a window. A row that was answered less
often than it was asked, or whose generator was late itself by more than half of what it measured, does not count.

Both sides of a ratio have the same generator, transport and message sizes, and another one of 100,000 tokens at every
call. Small calls come as pre-framed HTTP/2 from one process that spends a fraction of what the server spends, over
mutual TLS and over plaintext; it takes an answer for good when there is a message in it that says "active". Large
ones come from node:http2, which reads every grpc-status. One answer of each kind is decoded first. h2load, where it
is installed, asks the echo as well: that row tells whether our generator is any good. Over mutual TLS it is the
shipped daemon. Over plaintext it is the shipped service in a server of the benchmark's own (no configuration of the
daemon serves plaintext) on the same store.

The peers: **grpc-js echo** answers at once, with as many bytes; it is the ceiling of a process. **grpc-js, one GET a
call** decodes the request with the generated code, hashes the token and sends what one GET through ioredis brought.
**oidc-provider** is panva's authorization server with opaque access tokens in memory, asked over HTTP/1.1 with
keep-alive and client_secret_basic by 100 connections; every answer has to say \`"active":true\`. It is helped where
that could be done: its tokens are in a Map, all of one grant, and the hint spares it lookups. **ioredis MGET** reads
1,000 records at a time, with nothing around it.

Redis has an append-only file that is flushed every second. Server and generator share the machine. Rows that are no
rates have as many samples as a row has rounds, each in a process of its own.`;
