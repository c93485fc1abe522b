import { useState, useSyncExternalStore } from 'react';
import type { DemoMember } from './demo';
import type { Live } from './fetcher';

/** A value the fetcher sets and the bar shows. */
export class LiveState {
  #value: Live = 'off';
  readonly #listeners = new Set<() => void>();

  readonly get = (): Live => this.#value;

  readonly set = (value: Live): void => {
    this.#value = value;
    for (const listener of this.#listeners) listener();
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

const LIVE: Record<Live, string> = { off: '', connecting: 'Connecting…', on: 'Live' };

export function Bar({ member, problem, live }: { member: DemoMember; problem?: string | undefined; live: LiveState }) {
  const [broken, setBroken] = useState(false);
  const state = useSyncExternalStore(live.subscribe, live.get);
  return (
    <header className="bar">
      {member.photoUrl && !broken && !problem && (
        <img className="bar-face" src={member.photoUrl} alt="" width="26" height="26" onError={() => setBroken(true)} />
      )}
      {problem ? (
        <p className="bar-who" role="alert">
          Not signed in as <strong>@{member.handle}</strong>: {problem}.
        </p>
      ) : (
        <p className="bar-who">
          Signed in as <strong>{member.name}</strong> <span className="bar-handle">@{member.handle}</span>
        </p>
      )}
      <p className="bar-live" role="status" data-live={state}>
        {LIVE[state]}
      </p>
      <a className="bar-link" href="/">
        All members
      </a>
    </header>
  );
}
