/** The example operations, a tab each. A tab takes its title from the operation's name. */
export const WHO_AM_I = `# You, and what waits for you.
query WhoAmI {
  viewer {
    member {
      handle
      name
      headline
    }
    unreadNotificationCount
    receivedInvitations {
      totalCount
    }
    connections {
      totalCount
    }
  }
}
`;

export const SUBSCRIBE = `# Your notifications: those you have had first,
# then each as it happens. Leave this running, and
# invite this member from another window.
subscription Subscribe($after: String) {
  notificationReceived(after: $after) {
    cursor
    node {
      __typename
      sequence
      category
      createdAt
      actor {
        name
      }
      ... on InvitationReceivedNotification {
        invitation {
          id
          state
          note
          sender {
            name
          }
        }
      }
      ... on InvitationAcceptedNotification {
        invitation {
          id
          acceptedAt
          recipient {
            name
          }
        }
      }
      ... on MessageNotification {
        message {
          body
        }
      }
    }
  }
}
`;

export const FIND_MEMBER = `# A member by handle: their id, and how you stand
# to them.
query FindMember($handle: String!) {
  member(handle: $handle) {
    id
    name
    headline
    relationship {
      status
      degree
    }
    mutualConnections {
      totalCount
    }
  }
}
`;

export const INVITE = `# Invites a member to connect. They hear at once.
mutation Invite(
  $memberId: ID!
  $note: String
  $acquaintance: Acquaintance
) {
  inviteMember(
    input: {
      memberId: $memberId
      note: $note
      acquaintance: $acquaintance
    }
  ) {
    invitation {
      id
      state
      recipient {
        name
      }
    }
    userErrors {
      code
      message
      field
    }
  }
}
`;

export const MY_INVITATIONS = `# The invitations that wait for your answer.
query MyInvitations {
  viewer {
    receivedInvitations {
      totalCount
      edges {
        node {
          id
          note
          sentAt
          sender {
            name
            headline
          }
        }
      }
    }
  }
}
`;

export const RESPOND = `# Answers an invitation: ACCEPT, IGNORE, DECLINE
# or DONT_KNOW.
mutation Respond(
  $invitationId: ID!
  $response: InvitationResponse!
) {
  respondToInvitation(
    input: {
      invitationId: $invitationId
      response: $response
    }
  ) {
    invitation {
      id
      state
    }
    member {
      name
      relationship {
        status
        connectedAt
      }
    }
    userErrors {
      code
      message
      field
    }
  }
}
`;

export const WRITE = `# Writes to a connection, or to somebody whose
# invitation waits for your answer.
mutation Write($memberId: ID!, $body: String!) {
  sendMessage(
    input: { memberId: $memberId, body: $body }
  ) {
    message {
      id
      sentAt
    }
    userErrors {
      code
      message
      field
    }
  }
}
`;

export const MESSAGES = `# Messages to you, as they are written. Leave this
# running, and write to this member from another
# window.
subscription Messages {
  messageReceived {
    body
    sender {
      name
    }
    conversation {
      id
      unreadCount
    }
  }
}
`;

/** JSON as GraphiQL's variables take it: with comments on the first lines, if there are any. */
function variables(values: Record<string, string>, ...comments: (string | undefined)[]): string {
  const lines = comments.filter((one) => one !== undefined).map((one) => `  // ${one.replaceAll(/\s+/g, ' ')}\n`);
  return JSON.stringify(values, null, 2).replace('{\n', () => `{\n${lines.join('')}`);
}

export interface Person {
  id: string;
  handle: string;
  name: string;
}

export interface Waiting {
  id: string;
  state?: string;
  sender?: { name?: string };
}

/** The operations whose variables this page fills in. */
export type Filled = 'FindMember' | 'Invite' | 'Respond' | 'Write';

export const variablesOf = {
  FindMember: (target?: Person) => variables({ handle: target?.handle ?? '' }),
  Invite: (target?: Person, instead?: string) =>
    variables(
      { memberId: target?.id ?? '', note: 'Good to meet you here.', acquaintance: 'COLLEAGUE' },
      instead,
      target ? `${target.name} (@${target.handle})` : 'An id, as FindMember gives it',
    ),
  Respond: (waiting?: Waiting) =>
    variables(
      { invitationId: waiting?.id ?? '', response: 'ACCEPT' },
      waiting ? `From ${waiting.sender?.name ?? 'a member'}` : 'An id, as MyInvitations gives it',
    ),
  Write: (friend?: Person) =>
    variables(
      { memberId: friend?.id ?? '', body: 'Have you a minute?' },
      friend ? `${friend.name} (@${friend.handle})` : 'An id, as FindMember gives it',
    ),
} satisfies Record<Filled, unknown>;

export function exampleTabs(target?: Person, instead?: string, waiting?: Waiting, friend?: Person) {
  return [
    { query: WHO_AM_I },
    { query: SUBSCRIBE, variables: variables({ after: '' }) },
    { query: FIND_MEMBER, variables: variablesOf.FindMember(target) },
    { query: INVITE, variables: variablesOf.Invite(target, instead) },
    { query: MY_INVITATIONS },
    { query: RESPOND, variables: variablesOf.Respond(waiting) },
    { query: MESSAGES },
    { query: WRITE, variables: variablesOf.Write(friend) },
  ];
}
