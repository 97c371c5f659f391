;;; hands.el --- what a person does in Emacs, and what they see -*- lexical-binding: t -*-

(require 'cl-lib)
(require 'eglot)
(require 'json)

(defconst hands-seconds 90 "How long something may take on a busy machine.")

;; People on a busy machine have patience, too.
(setq jsonrpc-default-request-timeout hands-seconds
      eglot-connect-timeout hands-seconds)

(defun hands-traffic ()
  "What Emacs and the server said to each other."
  (with-current-buffer (jsonrpc-events-buffer (eglot-current-server)) (hands-text)))

(defmacro hands-wait (what &rest condition)
  "Let Emacs go on until CONDITION holds, and return its value; WHAT is said if it never does."
  `(let ((until (+ (float-time) hands-seconds)) (found nil))
     (while (not (setq found (progn ,@condition)))
       (when (> (float-time) until)
         (message "%s" (hands-traffic))
         (error "Never: %s, in\n%s" ,what (hands-text)))
       (accept-process-output nil 0.05))
     found))

(defun hands-open (path)
  "Visit PATH and wait until the server runs for it."
  (find-file path)
  (run-hooks 'post-command-hook) ; a batch has no command loop
  (hands-wait "a server" (eglot-current-server)))

(defun hands-go (line)
  "Put point on the first character of the code of LINE, counted from 1."
  (goto-char (point-min))
  (forward-line (1- line))
  (back-to-indentation))

(defun hands-titles ()
  "The titles of the code actions at point."
  (mapcar (lambda (action) (plist-get action :title)) (eglot-code-actions (point) (point))))

(defun hands-choose (title)
  "Take the code action TITLE at point."
  (let ((last-nonmenu-event ?x)) ; chosen with the keyboard
    (cl-letf (((symbol-function 'completing-read) (lambda (&rest _) title)))
      (eglot-code-actions (point) (point) nil t))))

(defun hands-hover (part)
  "What hovering at point shows, once it has PART in it."
  (eglot--signal-textDocument/didChange) ; a batch is never idle
  (hands-wait
   (format "a hover with %s" part)
   (let ((shown nil) (answer (jsonrpc-request (eglot-current-server) :textDocument/hover
                                              (eglot--TextDocumentPositionParams))))
     (when answer
       (setq shown (eglot--hover-info (plist-get answer :contents) (plist-get answer :range)))
       (and shown (string-match-p (regexp-quote part) shown) (substring-no-properties shown))))))

(defun hands-run (command &rest arguments)
  "Run a COMMAND of the server on this buffer; ARGUMENTS are the rest of its argument."
  (eglot-execute-command (eglot-current-server) command
                         (vector (append (eglot--TextDocumentIdentifier) arguments))))

(defun hands-lines (first last)
  "The range from the line FIRST to the line LAST, counted from 1."
  (list :start (list :line (1- first) :character 0) :end (list :line last :character 0)))

(defun hands-text ()
  "The buffer's text."
  (buffer-substring-no-properties (point-min) (point-max)))

(defun hands-diagnostics ()
  "What Flymake shows of the server."
  ;; ElDoc asks whenever the cursor moves; before Emacs 30 that is also what brings in a message which came in one piece
  ;; with an answer, and would lie about until the server says more.
  (jsonrpc-request (eglot-current-server) :textDocument/hover (eglot--TextDocumentPositionParams))
  (flymake-diagnostics))

(defun hands-end (seen)
  "Shut the server down, wait until its process is gone, and print SEEN as JSON."
  (let* ((server (eglot-current-server)) (process (jsonrpc--process server)))
    (eglot-shutdown server nil hands-seconds)
    (while (process-live-p process) (accept-process-output process 0.05)))
  (princ (json-encode seen)))
