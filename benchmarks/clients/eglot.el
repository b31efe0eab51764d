;;; Asks a server all of features.json through Emacs' eglot.  The environment has the server's
;;; command (SERVER), the directory of the module (MODULE) and of this file (HERE).
(require 'eglot)
(require 'json)
(setq eglot-sync-connect 60 eglot-connect-timeout 60 eglot-autoshutdown nil
      eglot-workspace-configuration '(:cytisus (:hints (:parameterNames t))))
(define-derived-mode clients-go-mode prog-mode "Go")
(add-to-list 'auto-mode-alist '("\\.go\\'" . clients-go-mode))
(add-to-list 'eglot-server-programs
             `(clients-go-mode . (,(getenv "SERVER") "serve" "--memory" "--root" ,(getenv "MODULE"))))
(cl-defmethod project-root ((p (head clients))) (cdr p))
(add-hook 'project-find-functions (lambda (_) (cons 'clients (file-name-as-directory (getenv "MODULE")))))

(defvar failed nil)
(defun say (name verdict)
  (unless (member verdict '("ok" "not announced")) (setq failed t))
  (princ (format "eglot\t%s\t%s\n" name verdict)))
(defun at (mark)
  (goto-char (point-min))
  (search-forward (replace-regexp-in-string "|" "" mark t t))
  (goto-char (+ (match-beginning 0) (string-match "|" mark)))
  (eglot--pos-to-lsp-position))

(find-file (expand-file-name "main.go" (getenv "MODULE")))
(let* ((inhibit-message t)
       (wanted (let ((json-object-type 'plist) (json-array-type 'vector) (json-false :json-false))
                   (json-read-file (expand-file-name "features.json" (getenv "HERE")))))
       (server (progn (apply #'eglot (eglot--guess-contact)) (eglot-current-server)))
       (deadline (+ (float-time) 60)))
  (unless eglot--managed-mode (eglot--maybe-activate-editing-mode))
  (flymake-mode 1)
  (while (and (not (flymake-diagnostics)) (< (float-time) deadline))
    (accept-process-output nil 0.1) (flymake-start))
  (say "diagnostics" (if (cl-some (lambda (d) (string-match-p "unknown" (flymake-diagnostic-text d))) (flymake-diagnostics))
                         "ok" "FAILED: none"))
  (cl-loop for f across wanted do
    (if (memq (plist-get (eglot--capabilities server) (intern (concat ":" (plist-get f :capability)))) '(nil :json-false))
        (say (plist-get f :name) "not announced")
      (let ((params (copy-sequence (plist-get f :params))) (method (plist-get f :method)))
        (when (string-prefix-p "textDocument/" method)
          (setq params (plist-put params :textDocument (eglot--TextDocumentIdentifier))))
        (when (plist-get f :at)
          (let ((pos (at (plist-get f :at))))
            (setq params
                  (cond ((plist-get f :several) (plist-put params :positions (vector pos)))
                        ((plist-get f :ranged)
                         (plist-put params :range
                                    (list :start pos :end (list :line (plist-get pos :line) :character (+ (or (plist-get f :length) 1) (plist-get pos :character))))))
                        (t (plist-put params :position pos))))))
        (say (plist-get f :name)
             (condition-case err
                 (let ((said (json-serialize (jsonrpc-request server (intern method) params :timeout 60)
                                             :false-object :json-false :null-object nil)))
                   (if (string-match-p (regexp-quote (plist-get f :want)) said) "ok"
                     (concat "FAILED: " (substring said 0 (min 200 (length said))))))
               (error (format "FAILED: %S" err)))))))
  ;; What the editor makes of the answers.
  (eglot-format-buffer)
  (say "the text is laid out" (if (string-match-p "return \"Hello, \" \\+ full" (buffer-string)) "ok" "FAILED"))
  (at "g.Gr|eet(")
  (say "xref leads to the method"
       (if (cl-some (lambda (x) (string-match-p "Greet" (xref-item-summary x)))
                    (xref-backend-definitions 'eglot (xref-backend-identifier-at-point 'eglot)))
           "ok" "FAILED"))
  (when (plist-get (eglot--capabilities server) :renameProvider)
    (at "type Pol|ite")
    (eglot--signal-textDocument/didChange) ; which a batch has no idle time for
    (let ((eglot-confirm-server-initiated-edits nil)) (eglot-rename "Kind"))
    (say "the name is another" (if (string-match-p "Greeter = Kind{" (buffer-string)) "ok" "FAILED")))
  (set-buffer-modified-p nil)
  (eglot-shutdown server))
(kill-emacs (if failed 1 0))
