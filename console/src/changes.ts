/**
 * Changes from the server, through one stream for all tabs of a browser, because a browser allows six connections per
 * server. The tab that holds a lock has the stream and passes changes to the others. When it closes, another tab takes
 * over.
 *
 * Pages served by plain http from another machine have no locks. There, each tab has its own stream.
 */
import type { Client, FollowOptions } from '../../client/index.ts';
import type { ChangesBody } from '../../client/wire.ts';

/** `hello`: a tab has opened. `connection`: the state of the stream, also the reply to `hello`. */
type Message =
  | { readonly is: 'hello' }
  | { readonly is: 'connection'; readonly isOpen: boolean }
  | { readonly is: 'changed'; readonly changes: ChangesBody };

export interface Listener {
  onConnection(isOpen: boolean): void;
  onChange(changes: ChangesBody): void;
}

export interface Listening {
  /** Tabs with the same name share a stream. */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly retryMs: NonNullable<FollowOptions['retryMs']>;
}

const EVERYTHING: ChangesBody = { executions: null };

/** Runs until the signal is aborted. Rejects like `Client.changes`, in the tab that has the stream. */
export const listen = async (api: Client, { name, ...options }: Listening, listener: Listener): Promise<void> => {
  const { signal } = options;
  if (!('locks' in navigator)) return follow(api, options, listener);
  const channel = new BroadcastChannel(name);
  try {
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.is === 'changed') listener.onChange(data.changes);
      else if (data.is === 'connection') {
        listener.onConnection(data.isOpen);
        if (data.isOpen) listener.onChange(EVERYTHING); // earlier changes are unknown
      }
    };
    say(channel, { is: 'hello' });
    await navigator.locks.request(name, { signal }, () => lead(api, options, listener, channel));
  } finally {
    channel.close();
  }
};

const lead = async (
  api: Client,
  options: Omit<Listening, 'name'>,
  listener: Listener,
  channel: BroadcastChannel,
): Promise<void> => {
  let isOpen = false;
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.is === 'hello') say(channel, { is: 'connection', isOpen });
  };
  await follow(api, options, {
    onConnection: (is) => {
      isOpen = is;
      listener.onConnection(is);
      say(channel, { is: 'connection', isOpen });
    },
    onChange: (changes) => {
      listener.onChange(changes);
      say(channel, { is: 'changed', changes });
    },
  });
};

const follow = async (api: Client, options: Omit<Listening, 'name'>, listener: Listener): Promise<void> => {
  const onConnection = (isOpen: boolean) => listener.onConnection(isOpen);
  for await (const changes of api.changes({ ...options, onConnection })) listener.onChange(changes);
};

const say = (channel: BroadcastChannel, message: Message): void => channel.postMessage(message);
