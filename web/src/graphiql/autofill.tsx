import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import type { Filled } from './examples';
import type { Session } from './session';
import type { MemberStorage } from './storage';

const KEY = 'filled';

/** The texts this page put into the tabs' variables, so that it changes no others. */
export class Fills {
  readonly #texts: Partial<Record<Filled, string>>;
  readonly #wanted: Partial<Record<Filled, string>> = {};
  #apply: (() => void) | undefined;

  constructor(readonly storage: MemberStorage) {
    this.#texts = JSON.parse(storage.getItem(KEY) ?? '{}');
  }

  /** What is to stand in an operation's variables, unless the member wrote something else there. */
  want(texts: Partial<Record<Filled, string>>): void {
    Object.assign(this.#wanted, texts);
    this.#apply?.();
  }

  /** Takes over the texts of new tabs. */
  started(): void {
    Object.assign(this.#texts, this.#wanted);
    this.storage.setItem(KEY, JSON.stringify(this.#texts));
  }

  /** Connects the editor: `set` changes an operation's variables from one text to another, if they are so. */
  attach(set: (operation: Filled, from: string, to: string) => boolean): () => void {
    const apply = () => {
      for (const [operation, to] of Object.entries(this.#wanted) as [Filled, string][]) {
        const from = this.#texts[operation];
        if (from === undefined || from === to || !set(operation, from, to)) continue;
        this.#texts[operation] = to;
        this.storage.setItem(KEY, JSON.stringify(this.#texts));
      }
    };
    this.#apply = apply;
    apply();
    return () => (this.#apply = undefined);
  }
}

/** Keeps the example tabs' variables up to date. */
export function Autofill({ fills }: { fills: Fills }) {
  const { storeTabs } = useGraphiQLActions();
  const state = useGraphiQL(({ tabs, activeTabIndex, variableEditor }) => ({ tabs, activeTabIndex, variableEditor }));
  const latest = useRef(state);
  latest.current = state;
  const ready = state.variableEditor !== undefined;

  useEffect(() => {
    if (!ready) return undefined;
    return fills.attach((operation, from, to) => {
      const { tabs, activeTabIndex, variableEditor } = latest.current;
      const index = tabs.findIndex((tab) => tab.title === operation);
      const tab = tabs[index];
      if (!tab) return false;
      const active = index === activeTabIndex;
      if ((active ? variableEditor?.getValue() : tab.variables) !== from) return false;
      // GraphiQL has no action for a tab other than the active one; it reads this when the tab is turned to.
      tab.variables = to;
      if (active) variableEditor?.setValue(to);
      storeTabs({ tabs, activeTabIndex });
      return true;
    });
  }, [fills, ready, storeTabs]);

  return null;
}

/** Shows the session's newest token in the headers editor, wherever one of its older ones stands. */
export function FreshToken({ session }: { session: Session }) {
  const headerEditor = useGraphiQL((state) => state.headerEditor);

  useEffect(() => {
    const model = headerEditor?.getModel();
    if (!model) return undefined;
    const refresh = () => {
      const text = model.getValue();
      const fresh = text.replace(/(?<=bearer\s+)[^\s"]+/i, (token) => (session.owns(token) ? session.current : token));
      if (fresh !== text) model.setValue(fresh);
    };
    const stop = session.onRenew(refresh);
    const editing = model.onDidChangeContent(refresh);
    refresh();
    return () => {
      stop();
      editing.dispose();
    };
  }, [headerEditor, session]);

  return null;
}

/** Reads the schema once headers are given, where it could not be read without. */
export function SchemaOnToken() {
  const { introspect } = useGraphiQLActions();
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  const missing = useGraphiQL((state) => state.fetchError !== null && !state.schema);

  useEffect(() => {
    const model = headerEditor?.getModel();
    if (!model || !missing) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const editing = model.onDidChangeContent(() => {
      clearTimeout(timer);
      timer = setTimeout(() => void introspect(), 800);
    });
    return () => {
      clearTimeout(timer);
      editing.dispose();
    };
  }, [headerEditor, missing, introspect]);

  return null;
}
