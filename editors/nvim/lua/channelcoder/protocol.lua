---@meta channelcoder.protocol
-- What ChannelCoder adds to the Language Server Protocol: see docs/protocol.md.
-- Made from channelcoder_lsp/protocol/ by docs/generate.py. Don't edit it.

--- What to ask, and about which code.
---
--- Either `question` or `prompt` is needed. An empty range means the line it lies on.
---@class channelcoder.AskArguments
---@field uri string
---@field range channelcoder.ClientRange
---@field question? string
---@field prompt? string The name of a prompt: `explain`, `review`, `fix`, `tests`, `document`, `refactor`.
---@field threadId? string The thread to go on with.
---@field diagnostics? channelcoder.ClientDiagnostic[] What checkers say about the code; those on the range are sent along (a setting).
---@field context? channelcoder.ClientContext[] What else to send along, by choice: other files, further selections, a text.
---@field commentLine? integer The line of the comment that asks; it is taken away once the question was recorded (a setting).

--- LSP's Range.
---@class channelcoder.ClientRange
---@field start channelcoder.ClientPosition
---@field end channelcoder.ClientPosition

--- LSP's Position: `character` counts in the encoding that was negotiated.
---@class channelcoder.ClientPosition
---@field line integer
---@field character integer

--- LSP's Diagnostic, as far as Claude is told of it.
---@class channelcoder.ClientDiagnostic
---@field range channelcoder.ClientRange
---@field message string
---@field severity? integer
---@field source? string
---@field code? string|integer

--- Something more to send along with a question: a file, a part of it, a text, or what is not committed.
---
--- Give `uri` for a file (open or on disk), with `range` for a part of it or `symbol` for the definition of
--- that name in it; or `text` with a `label` for anything else: a checker's output, a log; or `changes` for a
--- diff of the folder against its last commit, with what is not saved.
---@class channelcoder.ClientContext
---@field uri? string
---@field range? channelcoder.ClientRange
---@field symbol? string
---@field text? string
---@field label? string
---@field changes? boolean

--- The ids of what was recorded; the answer comes later.
---@class channelcoder.Asked
---@field turnId string
---@field threadId? string
---@field session string

--- A further question in the session of a folder, about no code in particular.
---@class channelcoder.ContinueArguments
---@field question string
---@field uri? string A document of the folder.
---@field folder? string The folder itself, as a URI or a path. Without both: the only open folder.
---@field context? channelcoder.ClientContext[] What to send along, by choice: files, parts of them, a text.

--- Which turn to end; without an id all that wait or are being answered.
---@class channelcoder.CancelArguments
---@field turnId? string

--- The turns that were ended.
---@class channelcoder.Cancelled
---@field turnIds string[]

--- A turn.
---@class channelcoder.TurnArguments
---@field turnId string

--- Whether Claude's instructions and settings in a folder may be used.
---@class channelcoder.TrustArguments
---@field folder? string
---@field trusted? boolean

--- The folder, and whether it is trusted now.
---@class channelcoder.Trusted
---@field folder string
---@field trusted boolean

--- The model for a folder's session; without one the default.
---@class channelcoder.ModelArguments
---@field model? string
---@field folder? string

--- The model that the next question goes to; null is the CLI's default.
---@class channelcoder.ModelInUse
---@field session string
---@field model? string

--- A session by name; without a name the active one of the folder.
---@class channelcoder.SessionArguments
---@field name? string
---@field folder? string

--- The session that is active now.
---@class channelcoder.SessionNamed
---@field session string
---@field folder string

--- A folder, as a URI or a path; without one the only open one.
---@class channelcoder.FolderArguments
---@field folder? string

--- The sessions, this folder's first.
---@class channelcoder.SessionRows
---@field sessions channelcoder.SessionRow[]

--- A session, as the list shows it.
---@class channelcoder.SessionRow
---@field name string
---@field path string
---@field created string
---@field lastActive string
---@field messageCount integer
---@field costUsd number
---@field firstQuestion? string
---@field checkout? string
---@field active? boolean

--- A session by name.
---@class channelcoder.NamedSessionArguments
---@field name string
---@field folder? string

--- A session's name, and the one it is to have.
---@class channelcoder.RenameArguments
---@field name string
---@field newName string

--- It was done.
---@class channelcoder.Done
---@field session string

--- Where the session is at rest.
---@class channelcoder.SessionSaved
---@field session string
---@field path string

--- The name of a copy of a session, without `name` of the folder's active one; it becomes the active one.
---@class channelcoder.ForkArguments
---@field newName string
---@field folder? string
---@field name? string

--- What the folder's active session may cost altogether, in US dollars; null takes the limit away.
---@class channelcoder.LimitArguments
---@field usd? number
---@field folder? string

--- The session's limit, null without one, and what it has cost so far.
---@class channelcoder.SpendingLimit
---@field session string
---@field usd? number
---@field spentUsd number

--- What to look for in all messages of all sessions, whatever the case.
---@class channelcoder.SearchArguments
---@field text string
---@field limit? integer

--- Where it was found, the newest session first.
---@class channelcoder.SearchHits
---@field hits channelcoder.SearchHit[]

--- A message in which it was found; `excerpt` is the text around it, in one line.
---@class channelcoder.SearchHit
---@field session string
---@field role string
---@field at string
---@field turnId? string
---@field excerpt string

--- A session and a form: `markdown`, `json` (everything) or `guide` (the guide's keys alone).
---@class channelcoder.ExportArguments
---@field name? string
---@field folder? string
---@field form? 'markdown'|'json'|'guide'

--- The session as a text.
---@class channelcoder.Exported
---@field session string
---@field text string

--- A Markdown document: where it was written, its text, and whether the client was asked to show it.
---@class channelcoder.Shown
---@field uri string
---@field markdown string
---@field shown boolean

--- A session whole, as its editor shows it, oldest turn first.
---@class channelcoder.SessionContent
---@field session string
---@field active boolean
---@field costUsd number
---@field turns channelcoder.SessionTurnContent[]

--- A turn in its session: what it took, and where the code is that it is about.
---@class channelcoder.SessionTurnContent
---@field turn channelcoder.TurnContent
---@field threadId? string
---@field uri? string
---@field line? integer The code's first line, from 0; null where it can't be found any more.
---@field inputTokens integer All that went in, what came from the cache included.
---@field outputTokens integer

--- A question and its answer, for editors that show threads by themselves.
---
--- `answer` is Markdown that is safe to show: no HTML, no remote images, no links that run commands.
---@class channelcoder.TurnContent
---@field turnId string
---@field question string
---@field answer string
---@field state string
---@field error? string
---@field notes string[]
---@field model? string
---@field author? string
---@field costUsd number
---@field asked string
---@field finished? string

--- The prompts, in the order of the menu.
---@class channelcoder.PromptRows
---@field prompts channelcoder.PromptRow[]

--- A prompt that code can be asked about with.
---@class channelcoder.PromptRow
---@field name string
---@field title string
---@field kind string
---@field description? string What it is good for, in one line; null: its file doesn't say.
---@field origin? 'built-in'|'user'|'project' Where it comes from: the package, the user's folder of prompts, the project's.

--- How it stands with a folder: its session, what that cost, what is being asked.
---@class channelcoder.Status
---@field folder string
---@field session? string
---@field model? string
---@field messages integer
---@field costUsd number
---@field waiting integer Questions that wait or are being answered.
---@field trusted boolean
---@field offline boolean
---@field contextTokens? integer What the next question is sent along with, as of the last answer; null: not known, or nothing yet.
---@field contextWindow? integer How much the model can take in.
---@field contextShare? number The one by the other: from 0 to 1.
---@field spendingLimitUsd? number What the session may cost altogether; null: there is no limit.
---@field away? string Why the place where sessions are kept can't be reached; what is said waits on this machine until it can.

--- A thread.
---@class channelcoder.ThreadArguments
---@field threadId string

--- A thread whole, as its editor shows it; `proposal_ids` are those that still wait, oldest first.
---@class channelcoder.ThreadContent
---@field threadId string
---@field uri string
---@field range channelcoder.ClientRange
---@field state string
---@field status string
---@field finding? channelcoder.FindingContent
---@field turns channelcoder.TurnContent[]
---@field proposalIds string[]

--- The remark of a review that opened a thread; `message` is safe Markdown.
---@class channelcoder.FindingContent
---@field severity string
---@field code? string
---@field message string

--- Which threads to list: those of a folder's active session, or of one document of it.
---@class channelcoder.ThreadListArguments
---@field folder? string
---@field uri? string
---@field show? boolean Whether to show the list of the folder's threads as a document, too.

--- The threads, oldest first, and the same as a Markdown document.
---@class channelcoder.ThreadRows
---@field threads channelcoder.ThreadRow[]
---@field markdown string
---@field uri? string The document that was made, if it was to be shown.
---@field shown? boolean Whether the editor was asked to show it.

--- A thread, as the list shows it.
---
--- `state` is the anchor's (`exact`, `moved`, `edited`, `orphaned`), `status` the thread's (`open`,
--- `resolved`). `range` is where the code is, or for an orphaned thread where it last was.
---@class channelcoder.ThreadRow
---@field threadId string
---@field uri string
---@field path? string
---@field range channelcoder.ClientRange
---@field state string
---@field status string
---@field question string
---@field turns integer
---@field code string The code when it was first asked about, cut.
---@field answers? integer
---@field waiting? boolean Whether something is being asked in it.
---@field severity? string A finding's: `error`, `warning`, `information`, `hint`.
---@field proposalIds? string[] The proposals that wait to be applied, oldest first.
---@field symbol? string The definition that the code was in when it was first asked about: `Cart.total`.

--- A further question in a thread; it goes with the thread's code as it is now.
---@class channelcoder.ReplyArguments
---@field threadId string
---@field question string
---@field context? channelcoder.ClientContext[] What to send along, by choice: files, parts of them, a text.

--- The thread, and its status now.
---@class channelcoder.ThreadState
---@field threadId string
---@field status string

--- What to review: `scope` is `selection`, `file`, `changes` (uncommitted) or `branch` (against its base).
---
--- `resume` goes on with the folder's latest review that was not finished, or with the one of `reviewId`.
---@class channelcoder.ReviewArguments
---@field scope? string
---@field uri? string The document; for `changes` and `branch` it may be left out.
---@field range? channelcoder.ClientRange
---@field folder? string
---@field base? string For `branch`: what to compare with; without it the remote's default branch, `main` or `master`.
---@field resume? boolean
---@field reviewId? string

--- A review under way: each file is asked about in a turn of its own, and each finding becomes a thread.
---@class channelcoder.Reviewing
---@field reviewId string
---@field session string
---@field files string[] Documents that are looked at, one after the other.
---@field turnIds string[] The turns that are asked so far; the others follow as each file's turn comes.
---@field notes? string[] What was left out, and why.

--- What to apply of a proposal.
---
--- `done`: the editor has applied the edit of a code action already; the server only takes note. `looked`: the
--- person has looked at it in the editor's own preview, and need not be asked to confirm it once more.
---@class channelcoder.ProposalApplyArguments
---@field proposalId string
---@field uri? string
---@field hunk? integer
---@field done? boolean
---@field looked? boolean

--- Whether the editor took the edit, and if not, why.
---@class channelcoder.Applied
---@field applied boolean
---@field reason? string

--- A proposal; with `uri` only what it does to that file, with `hunk` (from 0) only that change of it.
---@class channelcoder.ProposalArguments
---@field proposalId string
---@field uri? string
---@field hunk? integer

--- A proposal whole, as its editor shows it: the files that were not discarded.
---@class channelcoder.ProposalContent
---@field proposalId string
---@field threadId? string
---@field status string
---@field question string
---@field files channelcoder.ProposedFileContent[]
---@field confirm? boolean Whether a person is to look at an edit before it is applied (a setting).

--- What a proposal comes to in a file, with its text for an editor's own diff; line feeds part its lines.
---
--- `kind` is `edit`, `create` or `delete`; `state` is `open`, `applied` or `stale`.
---@class channelcoder.ProposedFileContent
---@field uri string
---@field path? string
---@field kind string
---@field state string
---@field reason? string Why it, or a part of it, can't be applied.
---@field before? string The text now, unsaved changes included; null where there is no file.
---@field after? string The text with all that can be applied; null for a deletion.

--- The proposal, and its status now: `open`, `applied`, `discarded`.
---@class channelcoder.ProposalState
---@field proposalId string
---@field status string

--- A code block of a turn's answer, counted from 0.
---@class channelcoder.AnswerArguments
---@field turnId string
---@field block? integer

--- `channelcoder/editor`: what the language server protocol has no request for, told as it changes.
---
--- Claude may ask for it while it answers. What is left out stays as it was told before.
---@class channelcoder.EditorNotification
---@field activeUri? string The document that has the cursor.
---@field selection? channelcoder.ClientRange What is selected in it; empty for a cursor.
---@field diagnostics? channelcoder.DocumentDiagnostics[]

--- All that checkers say about an open document.
---@class channelcoder.DocumentDiagnostics
---@field uri string
---@field diagnostics channelcoder.ClientDiagnostic[]

--- `channelcoder/turn`: what happens to a turn, for clients that ask for it.
---
--- `state` is the turn's; `text` is further text of the answer, or with `replace` all of it so far.
---@class channelcoder.TurnNotification
---@field session string
---@field turnId string
---@field threadId? string
---@field uri? string
---@field state string
---@field text? string
---@field replace? boolean
---@field message? string
---@field leftIn? string The folder in which another session is the active one by now: nobody may be looking at this one.

--- `channelcoder/changed`: threads, turns or the session of a folder changed; ask for what is shown of them.
---@class channelcoder.ChangedNotification
---@field folders string[]

---@alias channelcoder.Command
---| 'channelcoder.ask' # Ask about code. Returns at once; the answer arrives later.
---| 'channelcoder.continue' # Go on with a folder's session. Returns at once.
---| 'channelcoder.cancel' # End what waits or is being answered.
---| 'channelcoder.retry' # Ask a turn's question again, word for word.
---| 'channelcoder.trust' # Trust a folder's Claude settings, or no more.
---| 'channelcoder.model' # Choose the model from the next question on.
---| 'channelcoder.session.new' # Start a new session in the folder.
---| 'channelcoder.session.list' # List all sessions.
---| 'channelcoder.session.switch' # Make a session the folder's active one.
---| 'channelcoder.session.rename' # Give a session another name.
---| 'channelcoder.session.remove' # Remove a session and all that belongs to it.
---| 'channelcoder.session.clear' # Drop history and threads of the active session.
---| 'channelcoder.session.save' # Put the active session at rest in the guide's format; with a name, under that name from now on.
---| 'channelcoder.session.fork' # Go on in a copy of a session, under a name.
---| 'channelcoder.session.compact' # Have the active session summarised; Claude goes on from the summary. Returns at once; cancel ends it.
---| 'channelcoder.session.limit' # Say what the active session may cost altogether; questions beyond it are refused.
---| 'channelcoder.session.search' # Search all sessions.
---| 'channelcoder.session.export' # A session as a text.
---| 'channelcoder.session.show' # Show a session's transcript as Markdown.
---| 'channelcoder.session.read' # A session with its turns, for editors that show it.
---| 'channelcoder.turn.show' # Show a turn: the exact prompt, the whole answer, tools, usage and cost.
---| 'channelcoder.prompts' # List the prompts.
---| 'channelcoder.status' # How it stands with a folder's session.
---| 'channelcoder.thread.read' # A thread with its turns, for editors that show it.
---| 'channelcoder.thread.show' # Show a thread with all its answers as Markdown.
---| 'channelcoder.thread.list' # List threads, orphaned ones too.
---| 'channelcoder.thread.reply' # Go on with a thread. Returns at once.
---| 'channelcoder.thread.resolve' # Resolve a thread: the editor is quiet about it.
---| 'channelcoder.thread.reopen' # Open a resolved thread again.
---| 'channelcoder.thread.remove' # Remove a thread; what was said stays in the transcript.
---| 'channelcoder.review' # Review code; each finding becomes a thread. Returns at once.
---| 'channelcoder.proposal.apply' # Apply a proposed edit, whole or in part.
---| 'channelcoder.proposal.preview' # Show a proposed edit as a diff against the code now.
---| 'channelcoder.proposal.read' # A proposed edit with the texts that it would make, for editors that show it.
---| 'channelcoder.proposal.discard' # Discard a proposed edit; it is offered no more.
---| 'channelcoder.answer.insert' # Insert a code block of an answer below the code.
---| 'channelcoder.answer.replace' # Replace the code with a code block of an answer.
