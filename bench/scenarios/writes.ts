// Revoke and RegisterTokens: no baseline, the disk has its say in them.
import { REGISTER_TOKENS } from '../answers.js';
import type { BenchContext } from '../bench-context.js';
import { registerCall, revokeCall } from '../corpus.js';
import type { Group } from '../rounds.js';

const REVOKE_LOAD = { connections: 4, streams: 25 };
const REGISTER_LOAD = { connections: 2, streams: 2 };

export async function writes({ site, cleanUp }: BenchContext): Promise<readonly Group[]> {
  const revoke = await site.startLoad('issuer', revokeCall(), REVOKE_LOAD);
  cleanUp(revoke.stop);
  const register = await site.startLoad('issuer', registerCall(REGISTER_TOKENS), REGISTER_LOAD);
  cleanUp(register.stop);
  return [
    {
      title: `Writes, mutual TLS, ${site.engine.name}`,
      rows: [
        { name: 'Revoke of a registered token, 100 concurrent', unit: 'calls', pid: site.daemon.pid, run: revoke.run },
        {
          name: `RegisterTokens, ${REGISTER_TOKENS} a call, 4 concurrent`,
          unit: 'tokens',
          pid: site.daemon.pid,
          run: async (windowMs) => {
            const { perSecond, failed } = await register.run(windowMs);
            return { perSecond: perSecond * REGISTER_TOKENS, failed };
          },
        },
      ],
    },
  ];
}
