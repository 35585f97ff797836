// grpc-js callback -> promise. In order: room, identity, caller, permission, decoding, and only then the handler.
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { IntrospectdError } from '../core/errors.js';
import type { Caller } from '../core/policy.js';
import { type CallLifetime, createCallLifetime } from './call-lifetime.js';
import { answerDirectly } from './direct-answer.js';
import type { Abandon, InFlight } from './in-flight.js';
import { type CallDeps, decodeRequest, type UnaryCall, type UnaryMethod } from './method.js';
import { findRequestId, readRequestId } from './request-id.js';
import { createTrailer, toCodeName, toServiceError } from './status.js';

type Unary = handleUnaryCall<Buffer, Buffer>;
type Call = Parameters<Unary>[0];
type Callback = Parameters<Unary>[1];

type Bounds = Pick<UnaryMethod<never, never>, 'budgetMs' | 'answerFailure'>;

export type UnaryAdapter = <Request, Result>(method: UnaryMethod<Request, Result>) => Unary;

export function createUnaryAdapter(deps: CallDeps): UnaryAdapter {
  return (method) => (call, callback) => {
    void run(deps, method, new Exchange(call, callback, method));
  };
}

/** Never rejects. */
async function run<Request, Result>(
  deps: CallDeps,
  method: UnaryMethod<Request, Result>,
  exchange: Exchange,
): Promise<void> {
  const startedMs = performance.now();
  const { call } = exchange;
  let caller: Caller | undefined;
  let request: Request | undefined;
  let result: Result | undefined;
  let answer: Buffer | undefined;
  let error: unknown;
  try {
    exchange.moveTo(deps.inFlight);
    caller = deps.findCaller(call);
    exchange.caller = caller;
    method.authorize(caller);
    const lifetime = exchange.begin();
    const end = lifetime.findEnd();
    if (end !== undefined) throw end;
    request = decodeRequest(method, call.request);
    const handled = new HandledCall(caller, request, exchange, lifetime);
    result = await method.handle(handled);
    // A busy process runs its timers late: the answer itself is held to the budget.
    const late = method.budgetMs === undefined ? undefined : lifetime.findEnd();
    if (late !== undefined) throw late;
    answer = method.encode(result, handled);
  } catch (thrown) {
    error = thrown ?? new Error('nothing was thrown');
  } finally {
    exchange.leave();
  }
  try {
    const { audit } = method.record;
    if (audit !== undefined) audit({ requestId: exchange.requestId, caller, request, result, error });
    const writesSuccesses = deps.callLog.writesSuccesses();
    if (answer === undefined) exchange.fail(error);
    else if (writesSuccesses) exchange.succeed(answer, exchange.requestId);
    else exchange.succeed(answer, exchange.knownRequestId);
    const told = exchange.told ?? exchange.findEnd();
    const settled = { code: toCodeName(told), error: told, caller: caller?.name };
    const durationMs = performance.now() - startedMs;
    deps.observer.observe({ path: call.getPath(), ...settled, durationMs });
    if (told === undefined && !writesSuccesses) return;
    deps.callLog.write({
      method: method.name,
      ...settled,
      requestId: exchange.requestId,
      durationMs,
      facts: request === undefined ? {} : method.record.describe(request),
    });
  } catch (fault) {
    // A fault in a record must not leave a call unanswered.
    exchange.fail(fault);
  }
}

/**
 * A call and the one answer to it: the deadline and a drain answer while the handler still runs. This and HandledCall are
 * classes for the reason that call-lifetime.ts has.
 */
class Exchange {
  readonly call: Call;
  caller: Caller | undefined;
  /** The error that the caller was told, or the method's own answer in its place; undefined = OK, or nothing yet. */
  told: unknown;
  private readonly callback: Callback;
  private readonly method: Bounds;
  private isAnswered = false;
  private madeId: string | undefined;
  private lifetime: CallLifetime | undefined;
  private leaveRoom: (() => void) | undefined;
  private readonly abandon: Abandon = (error) => {
    this.lifetime?.end(error);
    this.fail(error);
  };

  constructor(call: Call, callback: Callback, method: Bounds) {
    this.call = call;
    this.callback = callback;
    this.method = method;
  }

  begin(): CallLifetime {
    this.lifetime = createCallLifetime(this.call, this.abandon, this.method.budgetMs);
    return this.lifetime;
  }

  /** Why nobody waits any more, when that is not what the caller was told. */
  findEnd(): IntrospectdError | undefined {
    return this.call.cancelled ? this.lifetime?.findEnd() : undefined;
  }

  /** From now on it takes room there, and none where it was. Throws OVERLOADED, and stays where it was. */
  moveTo(room: InFlight): void {
    const left = this.leaveRoom;
    this.leaveRoom = room.enter(this.abandon);
    left?.();
  }

  /** Once the handler is done. */
  leave(): void {
    this.lifetime?.stop();
    this.leaveRoom?.();
  }

  /** Made when it is first asked for. */
  get requestId(): string {
    this.madeId ??= readRequestId(this.call.metadata);
    return this.madeId;
  }

  /** The client's own, or one that stands in a record; undefined = nobody would know it. */
  get knownRequestId(): string | undefined {
    this.madeId ??= findRequestId(this.call.metadata);
    return this.madeId;
  }

  succeed(bytes: Buffer, requestId: string | undefined): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.answer(bytes, requestId);
  }

  fail(error: unknown): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.told = error;
    const instead = this.method.answerFailure?.(error, this.caller);
    if (instead === undefined) this.callback(toServiceError(error, this.requestId));
    else this.answer(instead, this.requestId);
  }

  private answer(bytes: Buffer, requestId: string | undefined): void {
    if (answerDirectly(this.call, bytes, requestId)) return;
    if (requestId === undefined) this.callback(null, bytes);
    else this.callback(null, bytes, createTrailer(requestId));
  }
}

class HandledCall<Request> implements UnaryCall<Request> {
  readonly caller: Caller;
  readonly request: Request;
  private readonly exchange: Exchange;
  private readonly lifetime: CallLifetime;

  constructor(caller: Caller, request: Request, exchange: Exchange, lifetime: CallLifetime) {
    this.caller = caller;
    this.request = request;
    this.exchange = exchange;
    this.lifetime = lifetime;
  }

  get requestId(): string {
    return this.exchange.requestId;
  }

  get deadlineMs(): number {
    return this.lifetime.deadlineMs;
  }

  get signal(): AbortSignal {
    return this.lifetime.signal;
  }

  extend(ms: number): void {
    this.lifetime.extend(ms);
  }

  moveTo(room: InFlight): void {
    this.exchange.moveTo(room);
  }
}
