// Package lambdahost runs the real binaries of Lambda functions, on the resources
// of a stack in the emulator. What AWS's services do around a function, it does.
//
// # What is modelled
//
// The runtime: the Runtime API on a loopback port; a process is an execution
// environment, does one invocation at a time and is used again; no more than so
// many per function; ten seconds to start, the function's timeout to answer, then
// SIGKILL; an exit or a panic fails the invocation and costs the environment; an
// answer over 6 MiB is an error. The process has the variables that Lambda sets,
// those of the template, the keys of the function's own role, and AWS_ENDPOINT_URL
// for a proxy that records what it asks of AWS.
//
// HTTP APIs: payload format 2.0 both ways; the most specific route; rawPath decoded,
// as HTTP APIs do and function URLs do not; SigV4 on routes that ask for AWS_IAM;
// 403, 404, 413, 500 and 503 as the service says them.
//
// Queues: batches, attributes, ReportBatchItemFailures with AWS's rules of what a
// malformed report means, maximum concurrency; receiving and deleting with the
// function's role, which therefore needs those permissions. Redrive is the
// emulator's. A dead-letter queue is left alone unless a mapping reads it.
//
// Schedules: the event of an EventBridge rule or of the Scheduler, or the input of
// the template; asynchronous invocation, retried as the function says (twice
// unless it says), then its dead-letter queue.
//
// # What is not
//
//   - Time. Nothing fires by itself: see Host.Fire. Retries of asynchronous
//     invocations follow at once, not after one and two minutes. Batching windows
//     are not waited for.
//   - Visibility. AWS keeps a message that failed, or whose function was killed,
//     invisible for the rest of the queue's visibility timeout, which is hours, or as
//     long as the function said last by ChangeMessageVisibility; so does the emulator.
//     With Options.VisibilityOverride it becomes visible that long after it was
//     received. While a function works on it the real time holds, so a slow machine
//     makes no duplicates. What the function asked for is in Call.Seconds.
//   - Throttling. An invocation that finds all environments busy waits, where AWS
//     answers 429 or lets a message go round. SQS pollers do not scale up slowly.
//   - Freezing. A process that has answered goes on running. No SIGTERM, no
//     extensions, no memory limit, no read-only file system, no init retried.
//   - Permissions. The emulator holds roles to actions everywhere, and to resources
//     where it knows them: tables, queues, topics, objects, keys, roles. Nobody looks
//     at execute-api:Invoke, Lambda's resource policies, queue, topic and key
//     policies, or at what SQS and SNS need of a key.
//   - Of HTTP APIs: other authorizers, presigned URLs, CORS, stages but $default,
//     stage variables, throttling, access logs, compression.
//   - Lambda's own API (a function that invokes another), destinations, streams,
//     SNS and S3 as sources, response streaming, versions and aliases (an alias is
//     the function itself).
//   - A presigned URL that a function makes leads to its proxy, and works while that
//     environment lives.
package lambdahost
