// Answers requests against resource policies by a public IAM simulator, which make oracle
// installs into .cache/oracle: a program of its own, no part of CloudArq. Each line of
// standard input is {"policy", "principal", "action", "resource", "owner", "context"};
// an empty principal is nobody. Each line of standard output is "allowed", "denied" or
// "refused: why".
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const found = createRequire(process.argv[2] + '/package.json').resolve('@cloud-copilot/iam-simulate')
const { runSimulation, anonymousPrincipal } = await import(pathToFileURL(found))

// Strangers allow themselves everything, and nothing above them forbids it.
const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

for await (const line of createInterface({ input: process.stdin })) {
  const q = JSON.parse(line)
  const caller = q.principal.startsWith('arn:')
  const answer = await runSimulation({
    identityPolicies: caller ? [{ name: 'own', policy: everything }] : [],
    serviceControlPolicies: caller ? [{ orgIdentifier: 'o', policies: [{ name: 'own', policy: everything }] }] : [],
    resourceControlPolicies: [],
    resourcePolicy: q.policy,
    request: {
      principal: q.principal || anonymousPrincipal,
      action: q.action,
      resource: { resource: q.resource, accountId: q.owner },
      contextVariables: q.context
    }
  }, {})
  if (answer.resultType === 'error') console.log('refused: ' + JSON.stringify(answer.errors))
  else console.log(answer.overallResult === 'Allowed' ? 'allowed' : 'denied')
}
