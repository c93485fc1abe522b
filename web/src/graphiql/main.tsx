import './workers';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './graphiql.css';
import { GraphiQL } from 'graphiql';
import { useMemo } from 'react';
import { createRoot } from 'react-dom/client';
import { Autofill, Fills, FreshToken, SchemaOnToken } from './autofill';
import { Bar, LiveState } from './bar';
import { type DemoMember, Presence, demoData, demoMembers } from './demo';
import { type Person, type Waiting, exampleTabs, variablesOf } from './examples';
import { createFetcher } from './fetcher';
import { Session, SignInError } from './session';
import { type MemberStorage, memberStorage } from './storage';

interface AppProps {
  storage: MemberStorage;
  fills?: Fills;
  session?: Session;
  /** Whom the page was asked to sign in as, on a development server. */
  member?: DemoMember;
  problem?: string;
  target?: Person | undefined;
  instead?: string | undefined;
  waiting?: Waiting | undefined;
  friend?: Person | undefined;
}

function App({ storage, fills, session, member, problem, target, instead, waiting, friend }: AppProps) {
  const live = useMemo(() => new LiveState(), []);
  const tabs = useMemo(() => exampleTabs(target, instead, waiting, friend), [target, instead, waiting, friend]);
  const fetcher = useMemo(
    () =>
      createFetcher({
        session,
        onLive: live.set,
        onResult: (data) => {
          const arrived = invitationIn(data);
          if (arrived) fills?.want({ Respond: variablesOf.Respond(arrived) });
        },
      }),
    [session, live, fills],
  );

  return (
    <>
      {member && <Bar member={member} problem={problem} live={live} />}
      <div className="tool">
        <GraphiQL
          fetcher={fetcher}
          storage={storage}
          defaultTabs={tabs}
          defaultHeaders={JSON.stringify({ Authorization: `Bearer ${session?.current ?? ''}` }, null, 2)}
          defaultEditorToolsVisibility={session ? 'variables' : 'headers'}
          shouldPersistHeaders={false}
          showPersistHeadersSettings={false}
        >
          {fills && <Autofill fills={fills} />}
          {session ? <FreshToken session={session} /> : <SchemaOnToken />}
        </GraphiQL>
      </div>
    </>
  );
}

/** The invitation a subscription's result brings, if it brings one that can be answered still. */
function invitationIn(data: Record<string, unknown>): Waiting | undefined {
  for (const value of Object.values(data)) {
    const node = (value as { node?: { __typename?: string; invitation?: Waiting } } | null)?.node;
    if (node?.__typename === 'InvitationReceivedNotification' && waits(node.invitation)) return node.invitation;
  }
  const { invitationReceived } = data as { invitationReceived?: Waiting };
  return waits(invitationReceived) ? invitationReceived : undefined;
}

/** Whether an invitation waits, as far as the result tells: among those of the past are some that were answered. */
function waits(invitation: Waiting | undefined): invitation is Waiting {
  return invitation?.id !== undefined && (invitation.state ?? 'PENDING') === 'PENDING';
}

/** Signs in as a demo member and readies the examples; undefined where the server has no such sign-in. */
async function openAs(handle: string): Promise<AppProps | undefined> {
  const storage = memberStorage(handle);
  let session: Session;
  try {
    session = await Session.open(handle);
  } catch (error) {
    if (error instanceof SignInError && error.status === 404) return undefined;
    const problem = error instanceof Error ? error.message : String(error);
    return { storage, member: { handle, name: handle }, problem };
  }

  const presence = new Presence(handle);
  const members = await demoMembers();
  await presence.settled();
  let { open } = presence;
  const { target, instead, waiting, friend } = await demoData(session, members, open);

  const fills = new Fills(storage);
  const want = (person: Person | undefined, why: string | undefined) =>
    fills.want({ FindMember: variablesOf.FindMember(person), Invite: variablesOf.Invite(person, why) });
  want(target, instead);
  fills.want({ Respond: variablesOf.Respond(waiting), Write: variablesOf.Write(friend) });
  if (storage.getItem('graphiql:tabState') === null) fills.started();
  const follow = async () => {
    const now = (open = presence.open);
    const data = await demoData(session, members, now);
    if (now !== open) return;
    want(data.target, data.instead);
    fills.want({ Write: variablesOf.Write(data.friend) });
  };
  presence.onChange(() => void follow());
  if (presence.open.join() !== open.join()) void follow();

  const member = members.find((one) => one.handle === handle) ?? { handle, name: handle };
  document.title = `${member.name} – Acquaint`;
  return { storage, fills, session, member, target, instead, waiting, friend };
}

async function main(): Promise<void> {
  const root = createRoot(document.querySelector('#root')!);
  const handle = new URLSearchParams(window.location.search).get('as');
  const signedIn = handle ? await openAs(handle) : undefined;
  root.render(<App {...(signedIn ?? { storage: memberStorage('') })} />);
}

void main();
