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

/** What the examples are filled in with: members still to be invited, and an invitation still to be answered. */
export async function demoData(
  session: Session,
  members: DemoMember[],
): Promise<{ invitable: Person[]; waiting: Waiting | undefined }> {
  const handles = members.map((member) => member.handle).filter((handle) => handle !== session.handle);
  const asked = handles.slice(0, CANDIDATES);
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
    const invitable = asked
      .map((_, i) => data?.[`m${i}`] as Found | null | undefined)
      .filter((found): found is Found => found?.relationship.status === 'NONE');
    return { invitable, waiting: viewer?.receivedInvitations?.nodes[0] };
  } catch {
    return { invitable: [], waiting: undefined };
  }
}

/**
 * Which members have a window open: of those to invite, one who is looking makes the better demo. The windows tell
 * one another, the newest last.
 */
export class Presence {
  #open: string[] = [];
  readonly #channel: BroadcastChannel | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(handle: string) {
    if (typeof BroadcastChannel === 'undefined') return;
    const channel = (this.#channel = new BroadcastChannel('acquaint-graphiql'));
    channel.onmessage = ({ data }: MessageEvent<{ type: string; handle: string }>) => {
      if (data.handle === handle) return;
      this.#open = this.#open.filter((open) => open !== data.handle);
      if (data.type !== 'bye') this.#open.push(data.handle);
      if (data.type === 'hello') channel.postMessage({ type: 'here', handle });
      for (const listener of this.#listeners) listener();
    };
    const hello = () => channel.postMessage({ type: 'hello', handle });
    window.addEventListener('pagehide', () => channel.postMessage({ type: 'bye', handle }));
    window.addEventListener('pageshow', (event) => event.persisted && hello());
    hello();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of these, the one whose window was opened last; else the first. */
  choose<T extends { handle: string }>(people: T[]): T | undefined {
    for (const handle of this.#open.toReversed()) {
      const found = people.find((person) => person.handle === handle);
      if (found) return found;
    }
    return people[0];
  }

  /** Waits a moment for the other windows' answers. */
  async settled(): Promise<void> {
    if (this.#channel) await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
