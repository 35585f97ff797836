// A process of the benchmark's own that answers messages one at a time: servers and load generators run in such.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

export interface Child<Question, Answer> {
  readonly pid: number;
  /** Rejects when the process failed to answer. */
  ask(question: Question): Promise<Answer>;
  stop(): Promise<void>;
  /** Lets it write what it has to write at its end. */
  end(): Promise<void>;
}

type Envelope<Answer> = { readonly answer: Answer } | { readonly problem: string };

const children = new Set<ChildProcess>();
// Whatever ends this process must not leave servers behind.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** `script` is a file in this folder or below it, without its ending; node runs it with `nodeArgs`. */
export function startChild<Question extends object, Answer>(
  script: string,
  nodeArgs: readonly string[] = [],
): Child<Question, Answer> {
  const child = fork(new URL(`./${script}.js`, import.meta.url), {
    execArgv: [...nodeArgs],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  const gone = once(child, 'exit').then(() => {
    children.delete(child);
  });
  return {
    pid: child.pid ?? 0,
    ask: async (question) => {
      const ended = gone.then(() => ({ problem: 'ended before it answered' }));
      child.send(question);
      const reply = await Promise.race([
        once(child, 'message').then(([message]) => message as Envelope<Answer>),
        ended,
      ]);
      if ('problem' in reply) throw new Error(`${script}: ${reply.problem}`);
      return reply.answer;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await gone;
    },
    end: async () => {
      child.disconnect();
      await gone;
    },
  };
}

/** Of a processor that several want it gets what the others leave: whoever waits on a machine of its own in real life. */
export function yieldProcessor({ pid }: { readonly pid: number }): void {
  // Of each thread: Linux knows no priority of a process.
  for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
}

/** The other side: called once, by the script. */
export function answerParent<Question, Answer>(handle: (question: Question) => Promise<Answer>): void {
  process.on('message', (question) => {
    handle(question as Question).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ problem: error instanceof Error ? error.message : 'unknown fault' }),
    );
  });
  process.on('disconnect', () => process.exit());
}
