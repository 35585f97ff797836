// A channel whose credentials can be replaced: calls that were begun end where they began, and new ones go the new way. All
// calls on one connection are those of one certificate.
import {
  Channel,
  type ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
  connectivityState,
} from '@grpc/grpc-js';

export interface RotatingChannel {
  readonly channel: ChannelInterface;
  /** Resolves when new calls use them: once there is a connection, or when there was none before, or none can be made. */
  replace(credentials: ChannelCredentials): Promise<void>;
}

/** A connection that takes longer will not come: better to fail with the new credentials than to hold on to the old. */
const CONNECT_MS = 5_000;

interface Way {
  readonly channel: ChannelInterface;
  calls: number;
  isRetired: boolean;
}

export function createRotatingChannel(
  target: string,
  credentials: ChannelCredentials,
  options: ChannelOptions,
): RotatingChannel {
  const open = (of: ChannelCredentials): Way => ({
    channel: new Channel(target, of, options),
    calls: 0,
    isRetired: false,
  });
  let current = open(credentials);
  let isClosed = false;
  const ways = new Set([current]);

  function close(way: Way): void {
    ways.delete(way);
    way.channel.close();
  }

  function ended(way: Way): void {
    way.calls -= 1;
    if (way.isRetired && way.calls === 0) close(way);
  }

  const channel: ChannelInterface = {
    close: () => {
      isClosed = true;
      for (const way of ways) close(way);
    },
    getTarget: () => current.channel.getTarget(),
    getConnectivityState: (tryToConnect) => current.channel.getConnectivityState(tryToConnect),
    watchConnectivityState: (...args) => current.channel.watchConnectivityState(...args),
    getChannelzRef: () => current.channel.getChannelzRef(),
    createCall: (...args) => {
      const way = current;
      const call = way.channel.createCall(...args);
      const start = call.start.bind(call);
      way.calls += 1;
      // Every call that was started gets one status, whatever happens to it.
      call.start = (metadata, listener) =>
        start(metadata, {
          onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
          onReceiveMessage: (message) => listener.onReceiveMessage(message),
          onReceiveStatus: (status) => {
            ended(way);
            listener.onReceiveStatus(status);
          },
        });
      return call;
    },
  };

  return {
    channel,
    replace: async (next) => {
      const way = open(next);
      ways.add(way);
      if (current.channel.getConnectivityState(false) === connectivityState.READY) await connect(way.channel);
      if (isClosed) return;
      const old = current;
      current = way;
      old.isRetired = true;
      if (old.calls === 0) close(old);
    },
  };
}

async function connect(channel: ChannelInterface): Promise<void> {
  const deadline = Date.now() + CONNECT_MS;
  let state = channel.getConnectivityState(true);
  while (state !== connectivityState.READY && state !== connectivityState.SHUTDOWN && Date.now() < deadline) {
    const known = state;
    await new Promise<void>((resolve) => channel.watchConnectivityState(known, deadline, () => resolve()));
    state = channel.getConnectivityState(true);
  }
}
