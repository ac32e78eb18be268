{{/* A list of strings, as CEL writes it; the schema keeps quotes out of them. */}}
{{- define "workflowexecution.cel.list" -}}
{{- $quoted := list -}}
{{- range . -}}{{- $quoted = append $quoted (printf "'%s'" .) -}}{{- end -}}
[{{ join ", " $quoted }}]
{{- end -}}

{{/* A map of such lists. */}}
{{- define "workflowexecution.cel.lists" -}}
{{- $entries := list -}}
{{- range $name, $list := . -}}
{{- $entries = append $entries (printf "'%s': %s" $name (include "workflowexecution.cel.list" $list)) -}}
{{- end -}}
{ {{- join ", " $entries -}} }
{{- end -}}
