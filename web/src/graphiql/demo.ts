import type { Person, Waiting } from './examples';
import type { Session } from './session';

export interface DemoMember {
  handle: string;
  name: string;
  headline?: string | null;
  photoUrl?: string | null;
}

interface Found extends Person {
  relationship: { status: string };
}

/** How many members are looked at to find one to invite. */
const CANDIDATES = 20;

export async function demoMembers(): Promise<DemoMember[]> {
  try {
    const response = await fetch('/dev/members', { headers: { accept: 'application/json' } });
    if (!response.ok) return [];
    return ((await response.json()) as { members: DemoMember[] }).members;
  } catch {
    return [];
  }
}

export interface DemoData {
  /** Whom the example invites: of those who can be, one who has a window open, the newest first, or else any. */
  target: Person | undefined;
  /** Why it is not the one whose window was opened last. */
  instead: string | undefined;
  /** An invitation still to be answered. */
  waiting: Waiting | undefined;
  /** Whom the example writes to: of the connections, one who has a window open, the newest first, or else any. */
  friend: Person | undefined;
}

/** Why a member cannot be invited; undefined for one who can. */
function obstacle({ name, relationship }: Found): string | undefined {
  switch (relationship.status) {
    case 'NONE':
      return undefined;
    case 'CONNECTED':
      return `You and ${name} are connected already.`;
    case 'INVITATION_SENT':
      return `You have invited ${name} already.`;
    case 'INVITATION_RECEIVED':
      return `${name} has invited you.`;
    default:
      return `You cannot invite ${name}.`;
  }
}

/** What the examples are filled in with. `open` are the handles of those with a window open, the newest first. */
export async function demoData(session: Session, members: DemoMember[], open: string[]): Promise<DemoData> {
  const handles = new Set([...open, ...members.map((member) => member.handle)]);
  handles.delete(session.handle);
  const asked = [...handles].slice(0, CANDIDATES);
  const parameters = asked.map((_, i) => `$h${i}: String!`).join(', ');
  const query = `query Prefill${parameters && `(${parameters})`} {
    viewer { receivedInvitations(first: 1) { nodes { id sender { name } } } }
    ${asked.map((_, i) => `m${i}: member(handle: $h${i}) { id handle name relationship { status } }`).join('\n')}
  }`;
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        authorization: `Bearer ${await session.token()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        query,
        operationName: 'Prefill',
        variables: Object.fromEntries(asked.map((handle, i) => [`h${i}`, handle])),
      }),
    });
    const { data } = (await response.json()) as { data?: Record<string, unknown> | null };
    const viewer = data?.viewer as { receivedInvitations?: { nodes: Waiting[] } } | undefined;
    const found = asked
      .map((_, i) => data?.[`m${i}`] as Found | null | undefined)
      .filter((one) => one !== null && one !== undefined);
    const newest = found.find((one) => one.handle === open[0]);
    return {
      target: found.find((one) => obstacle(one) === undefined),
      instead: newest && obstacle(newest),
      waiting: viewer?.receivedInvitations?.nodes[0],
      friend: found.find((one) => one.relationship.status === 'CONNECTED'),
    };
  } catch {
    return { target: undefined, instead: undefined, waiting: undefined, friend: undefined };
  }
}

interface Message {
  type: 'hello' | 'here' | 'bye';
  handle: string;
  /** When the window was opened. */
  since: number;
}

/**
 * Which members have a window open: of those to invite, one who is looking makes the better demo. The windows tell
 * one another.
 */
export class Presence {
  readonly #since = new Map<string, number>();
  readonly #channel: BroadcastChannel | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(handle: string) {
    if (typeof BroadcastChannel === 'undefined') return;
    const channel = (this.#channel = new BroadcastChannel('acquaint-graphiql'));
    let since = Date.now();
    const say = (type: Message['type']) => channel.postMessage({ type, handle, since } satisfies Message);
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.handle === handle) return;
      if (data.type === 'bye') this.#since.delete(data.handle);
      else this.#since.set(data.handle, data.since);
      if (data.type === 'hello') say('here');
      for (const listener of this.#listeners) listener();
    };
    window.addEventListener('pagehide', () => say('bye'));
    window.addEventListener('pageshow', (event) => {
      if (!event.persisted) return;
      since = Date.now();
      say('hello');
    });
    say('hello');
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Their handles, the one whose window was opened last first. */
  get open(): string[] {
    return [...this.#since].toSorted(([, a], [, b]) => b - a).map(([handle]) => handle);
  }

  /** Waits a moment for the other windows' answers. */
  async settled(): Promise<void> {
    if (this.#channel) await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
